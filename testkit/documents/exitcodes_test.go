package documents_test

import (
	"errors"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exitCodes is the table of all programs.
const exitCodes = "docs/exit-codes.md"

// built are the programs that `make bin` builds, by name, with their paths. kubectl is not ours.
func built(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"bin", "bin/plugins"} {
		entries, err := fs.ReadDir(repository(), folder)
		if err != nil {
			t.Fatalf("run `make bin`: %v", err)
		}
		for _, entry := range entries {
			if name := entry.Name(); !entry.IsDir() && name != "kubectl" && name != "SHA256SUMS" && !strings.Contains(name, "_") {
				all[name] = path.Join("testdata/repository", folder, name)
			}
		}
	}
	return all
}

// TestExitCodes calls every program in two ways that all have in common: with a flag that it does
// not have, which is 2, and with --version, which is one line and 0.
func TestExitCodes(t *testing.T) {
	programs := built(t)
	_, table, _ := strings.Cut(read(t, exitCodes), "| program |")
	documented := map[string]bool{}
	for row := range strings.Lines(table) {
		if cells := strings.Split(row, "|"); len(cells) > 2 {
			for _, match := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
				documented[match[1]] = true
			}
		}
	}
	want, got := slices.Sorted(maps.Keys(programs)), slices.Sorted(maps.Keys(documented))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("programs: -built +%s:\n%s", exitCodes, diff)
	}
	line := regexp.MustCompile(`^[a-z-]+ \S.* go1\.\d+\S*\n$`)
	for name, program := range programs {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), program, "--version").Output()
			if err != nil || !line.Match(out) {
				t.Errorf("--version prints %q: %v", out, err)
			}
			out, err = exec.CommandContext(t.Context(), program, "--no-such-flag").CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("a flag that is not there ends with %v: %s", err, out)
			}
			if !strings.HasPrefix(string(out), displayed(name)+": ") || strings.Count(string(out), "\n") != 1 {
				t.Errorf("it is told in more than one line, or without the program's name: %q", out)
			}
		})
	}
}

// displayed is what people call a program.
func displayed(name string) string {
	if name == "kubectl-machine" {
		return "kubectl machine"
	}
	return name
}
