package app

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// TestLogLinesCannotBeForged: names, messages and errors come from tenants, plugins and remote clusters.
// None of them begins a line of the log, or reaches the terminal of who reads it.
func TestLogLinesCannotBeForged(t *testing.T) {
	const words = "web\n2026-11-30T12:00:00Z\tINFO\tDeleted everything\r\x1b[2J\u009b2J"
	for name, options := range map[string]LogOptions{
		"text": {NoStacktrace: true}, "JSON": {JSON: true, NoStacktrace: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			logger := options.logger(&out)
			logger.WithName("operator").WithValues("machine", words).Info("Placed Machine", "reason", words)
			logger.Error(errors.New(words), "Pass failed", "config", []string{words}, "more", map[string]string{words: words})
			if lines := strings.Count(out.String(), "\n"); lines != 2 {
				t.Errorf("two entries have %d lines:\n%s", lines, out.String())
			}
			for _, letter := range out.String() {
				if unicode.IsControl(letter) && letter != '\n' && letter != '\t' {
					t.Errorf("the log has %q:\n%q", letter, out.String())
				}
			}
			if !strings.Contains(out.String(), "Deleted everything") {
				t.Errorf("the words are not in it at all: %s", out.String())
			}
		})
	}
}
