package app

import (
	"fmt"
	"io"
	"strconv"

	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// LogOptions are how logs are written. The zero value writes text from level info on.
type LogOptions struct {
	// JSON writes a line of JSON for each entry (LOG_JSON).
	JSON bool
	// Level is the least that is written (LOG_LEVEL: debug, info, warn, error).
	Level zapcore.Level
	// Caller adds the place in the code (LOG_ADD_CALLER).
	Caller bool
	// NoStacktrace leaves out stack traces of errors (LOG_DISABLE_STACKTRACE).
	NoStacktrace bool
}

func (o *LogOptions) readEnvironment(env lookup) error {
	for name, to := range map[string]*bool{
		"LOG_JSON": &o.JSON, "LOG_ADD_CALLER": &o.Caller, "LOG_DISABLE_STACKTRACE": &o.NoStacktrace,
	} {
		text := env.or(name, "")
		if text == "" {
			continue
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s is %q: want true or false", name, text)
		}
		*to = value
	}
	if text := env.or("LOG_LEVEL", ""); text != "" {
		if err := o.Level.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("LOG_LEVEL is %q: want debug, info, warn or error", text)
		}
	}
	return nil
}

// shown writes control characters out that zap leaves in words of others: the log is read on terminals.
// It keeps nothing between two calls, so that it is as safe for concurrent use as what it writes to.
type shown struct{ to io.Writer }

// Write implements io.Writer. It is given whole entries.
func (s shown) Write(entry []byte) (int, error) {
	_, err := io.WriteString(s.to, terminal.Plain(string(entry)))
	return len(entry), err
}

// logger writes to a stream.
func (o LogOptions) logger(to io.Writer) logr.Logger {
	options := []zap.Opts{zap.WriteTo(shown{to}), zap.Level(o.Level), zap.RawZapOpts(uberzap.WithCaller(o.Caller))}
	if o.JSON {
		options = append(options, zap.JSONEncoder())
	} else {
		options = append(options, zap.ConsoleEncoder(func(config *zapcore.EncoderConfig) {
			config.EncodeTime = zapcore.RFC3339TimeEncoder
		}))
	}
	if o.NoStacktrace {
		options = append(options, zap.StacktraceLevel(zapcore.FatalLevel))
	}
	return zap.New(options...)
}
