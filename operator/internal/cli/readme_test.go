package cli

import (
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// verbs are the commands of kubectl machine that do something, without those that cobra adds.
func verbs(of *cobra.Command, above string) map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	for _, cmd := range of.Commands() {
		name := strings.TrimSpace(above + " " + cmd.Name())
		if cmd.HasSubCommands() {
			maps.Copy(all, verbs(cmd, name))
		} else if cmd.Name() != "help" && cmd.Name() != "completion" {
			all[name] = cmd
		}
	}
	return all
}

// TestReadmeVerbs compares the table of verbs with the commands.
func TestReadmeVerbs(t *testing.T) {
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(content), "\n## kubectl machine\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("README.md has no section about kubectl machine")
	}
	var documented []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			documented = append(documented, match[1])
		}
	}
	slices.Sort(documented)
	want := slices.Sorted(maps.Keys(verbs(Program("/usr/bin/kubectl-machine"), "")))
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("verbs: -code +README.md:\n%s", diff)
	}
}

// TestProgram: the name by which the program is called says what it is.
func TestProgram(t *testing.T) {
	for path, want := range map[string]string{
		"bin/operator": "operator", "/usr/local/bin/kubectl-machine": "kubectl machine",
		"kubectl-machine.exe": "kubectl machine", "/manager": "operator",
	} {
		if got := Program(path).DisplayName(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
		for _, out := range []io.Writer{Program(path).OutOrStdout(), Program(path).ErrOrStderr()} {
			if _, guarded := out.(*terminal.Writer); !guarded {
				t.Errorf("%s lets control characters through to %T", path, out)
			}
		}
	}
}

// TestUsageErrors: a wrong flag of any command is 2, and nothing is done.
func TestUsageErrors(t *testing.T) {
	for name := range verbs(Program("kubectl-machine"), "") {
		root := Program("kubectl-machine")
		root.SetArgs(append(strings.Fields(name), "--no-such-flag"))
		if err := root.ExecuteContext(t.Context()); exit.Code(err) != exit.Broken {
			t.Errorf("%s ends with %d: %v", name, exit.Code(err), err)
		}
	}
}
