package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// TestLogsReachTheHost has a plugin log and print.
func TestLogsReachTheHost(t *testing.T) {
	var mu sync.Mutex
	var lines strings.Builder
	opts := options(t, entry("logs"))
	opts.Logger = funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(&lines, prefix, args)
	}, funcr.Options{})
	host := start(t, opts)
	if _, _, err := host.Place(t.Context(), placement.Given(request("east"))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"msg"="Placement plugin logged a warning" "strategy"="logs" "line"="a warning" "plugin.machine"="ns/n"`,
		`"line"="printed to stdout" "stream"="stdout"`,
		`"line"="printed to stderr" "stream"="stderr"`,
	} {
		eventually(t, patience, "the log holds "+want, holds(func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(lines.String(), want)
		}))
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(lines.String(), "timestamp") || strings.Contains(lines.String(), "BEGIN CERTIFICATE") {
		t.Errorf("the log holds what it should not:\n%s", lines.String())
	}
}

// TestLogCannotPretend has a plugin log what could pass for lines and attributes of the host, or
// what a terminal acts on.
func TestLogCannotPretend(t *testing.T) {
	var mu sync.Mutex
	var lines strings.Builder
	opts := options(t, entry("escapes"))
	opts.Logger = logr.FromSlogHandler(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return lines.Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	host := start(t, opts)
	_, _, _ = host.Place(t.Context(), placement.Given(request("east")))
	for _, want := range []string{
		` strategy=escapes line="gone  msg" plugin.ab="{\"c\":\"\\u0007\"}" plugin.logger=host plugin.strategy=annotation` + "\n",
		` strategy=escapes line=printed stream=stderr` + "\n",
	} {
		eventually(t, patience, "the log holds "+want, func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			if !strings.Contains(lines.String(), want) {
				return errors.New(lines.String())
			}
			return nil
		})
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
