package deployment

import (
	"strings"
	"testing"
	"time"
)

func newShell(t *testing.T) *Shell {
	t.Helper()
	shell, err := NewShell(t.Context(), t.TempDir(), []string{"PATH=/usr/bin:/bin"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shell.Close)
	return shell
}

// TestShell goes through steps as a person types them.
func TestShell(t *testing.T) {
	shell := newShell(t)
	for _, step := range []struct{ script, want string }{
		{"NAME=east\ncd /\n", ""},
		{"echo \"$NAME in $PWD\"\nprintf 'no newline'\n", "east in /\nno newline"},
		{"cat\n", ""}, // what a step reads is not the next step
		{"cat <<EOF\n@@finished s\nEOF\n", "@@finished s"},
	} {
		got, err := shell.Run(Step{Name: "step", Script: step.script}, time.Minute)
		if err != nil || strings.TrimSpace(got) != step.want {
			t.Errorf("%q printed %q, %v; want %q", step.script, got, err, step.want)
		}
	}
}

func TestShellFails(t *testing.T) {
	cases := map[string]struct{ script, want string }{
		"Command":  {"echo before\nls /nowhere\necho after\n", "No such file"},
		"Pipe":     {"false | cat\n", "step step failed"},
		"Unset":    {"echo $NOBODY_SET_THIS\n", "unbound variable"},
		"Syntax":   {"if\n", "syntax error"},
		"Too long": {"sleep 60\n", "takes longer than"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			limit := time.Minute
			if name == "Too long" {
				limit = time.Second
			}
			_, err := newShell(t).Run(Step{Name: "step", Script: tc.script}, limit)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "after") {
				t.Errorf("it ends with %v, want %q", err, tc.want)
			}
		})
	}
}
