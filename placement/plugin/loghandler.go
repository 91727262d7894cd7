package plugin

import (
	"io"
	"log/slog"
	"strings"
	"time"
)

// newLogHandler returns a slog handler that writes the JSON lines which go-plugin's host side
// reads: @level, @message, @timestamp and the attributes.
func newLogHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug, // the host decides what it shows
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch {
			case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
				return slog.String("@timestamp", a.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
			case a.Key == slog.LevelKey:
				return slog.String("@level", strings.ToLower(a.Value.String()))
			case a.Key == slog.MessageKey:
				return slog.String("@message", a.Value.String())
			}
			if a.Value.Kind() == slog.KindDuration {
				return slog.String(a.Key, a.Value.Duration().Round(time.Microsecond).String())
			}
			return a
		},
	})
}
