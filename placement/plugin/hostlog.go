package plugin

import (
	"io"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/hashicorp/go-hclog"
)

// A hostLog carries what a plugin writes to the host's logger, a limited number of lines a second.
type hostLog struct {
	host  logr.Logger // for the host's own lines about the plugin
	limit *limiter
}

func newHostLog(logger logr.Logger, options Options) *hostLog {
	return &hostLog{host: logger, limit: &limiter{perSecond: options.Limits.LogLines, now: options.Clock.Now}}
}

// pass passes a line on, or drops it unread.
func (l *hostLog) pass(read func() record) {
	allowed, dropped := l.limit.allow()
	if dropped > 0 {
		l.host.Info("Dropped log lines of a placement plugin", "dropped", dropped)
	}
	if !allowed {
		return
	}
	r := read()
	args := append([]any{"line", cut(plain(r.message), maxLineBytes)}, r.attributes...)
	switch {
	case r.level >= hclog.Error:
		l.host.Error(nil, "Placement plugin logged an error", args...)
	case r.level == hclog.Warn:
		l.host.Info("Placement plugin logged a warning", args...)
	case r.level <= hclog.Debug:
		l.host.V(1).Info("Placement plugin logged", args...)
	default:
		l.host.Info("Placement plugin logged", args...)
	}
}

// writer passes on what the plugin prints to the stream.
func (l *hostLog) writer(stream string) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		for line := range strings.Lines(string(p)) {
			if line = strings.TrimSpace(line); line != "" {
				l.pass(func() record {
					return record{level: hclog.Info, message: line, attributes: []any{"stream", stream}}
				})
			}
		}
		return len(p), nil
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// forGoPlugin is the logger that go-plugin wants for its own lines, which are for debugging the
// host. Those of the plugin come by follow and writer.
func (l *hostLog) forGoPlugin() hclog.Logger { return &bridge{log: l} }

// A bridge is an hclog.Logger over a hostLog.
type bridge struct {
	log  *hostLog
	name string
	args []any
}

// Log passes a line on. What it quotes may be the plugin's.
func (b *bridge) Log(_ hclog.Level, message string, args ...any) {
	if !b.log.host.V(2).Enabled() {
		return
	}
	all := append(b.args[:len(b.args):len(b.args)], args...)
	for i := range all {
		all[i] = loggable(all[i])
	}
	b.log.host.V(2).Info("go-plugin: "+clip(message), all...)
}

func (b *bridge) Trace(message string, args ...any) { b.Log(hclog.Trace, message, args...) }
func (b *bridge) Debug(message string, args ...any) { b.Log(hclog.Debug, message, args...) }
func (b *bridge) Info(message string, args ...any)  { b.Log(hclog.Info, message, args...) }
func (b *bridge) Warn(message string, args ...any)  { b.Log(hclog.Warn, message, args...) }
func (b *bridge) Error(message string, args ...any) { b.Log(hclog.Error, message, args...) }

func (b *bridge) IsTrace() bool { return b.GetLevel() <= hclog.Trace }
func (b *bridge) IsDebug() bool { return b.GetLevel() <= hclog.Debug }
func (b *bridge) IsInfo() bool  { return b.GetLevel() <= hclog.Info }
func (b *bridge) IsWarn() bool  { return b.GetLevel() <= hclog.Warn }
func (b *bridge) IsError() bool { return b.GetLevel() <= hclog.Error }

// ImpliedArgs implements hclog.Logger.
func (b *bridge) ImpliedArgs() []any { return b.args }

// With implements hclog.Logger.
func (b *bridge) With(args ...any) hclog.Logger {
	derived := *b
	derived.args = append(b.args[:len(b.args):len(b.args)], args...)
	return &derived
}

// Name implements hclog.Logger.
func (b *bridge) Name() string { return b.name }

// Named implements hclog.Logger.
func (b *bridge) Named(name string) hclog.Logger {
	derived := *b
	derived.name = name
	return &derived
}

// ResetNamed implements hclog.Logger.
func (b *bridge) ResetNamed(name string) hclog.Logger { return b.Named(name) }

// SetLevel does nothing: the host's logger decides.
func (b *bridge) SetLevel(hclog.Level) {}

// GetLevel is the lowest level, or none where the host's logger shows nothing of go-plugin.
func (b *bridge) GetLevel() hclog.Level {
	if b.log.host.V(2).Enabled() {
		return hclog.Trace
	}
	return hclog.Off
}

// StandardLogger implements hclog.Logger.
func (b *bridge) StandardLogger(options *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(b.StandardWriter(options), "", 0)
}

// StandardWriter implements hclog.Logger.
func (b *bridge) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return b.log.writer("log") }

// A limiter allows some events a second and counts the others.
type limiter struct {
	perSecond int
	now       func() time.Time

	mu            sync.Mutex
	second        time.Time
	used, dropped int
}

// allow reports whether one more event may pass, and with the first of a second how many did not
// since the last report.
func (l *limiter) allow() (allowed bool, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); now.Sub(l.second) >= time.Second {
		dropped, l.dropped = l.dropped, 0
		l.second, l.used = now, 0
	}
	if l.used >= l.perSecond {
		l.dropped++
		return false, dropped
	}
	l.used++
	return true, dropped
}
