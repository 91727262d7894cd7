package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden files in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"crdcheck": func() { os.Exit(mainCode()) }})
}

// TestScripts runs the program as people do: each script is a story with its input and the output
// that they see.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, UpdateScripts: *update,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// exits CODE ARGS... runs crdcheck and expects this exit code: 1, 2 and 3 mean different things.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	err := ts.Exec(
		"sh",
		append([]string{"-c", `"$0" "$@"; code=$?; echo "exit $code" >&2; exit 0`, "crdcheck"}, args[1:]...)...)
	if err != nil {
		ts.Fatalf("%v", err)
	}
	if got, want := lastLine(ts.ReadFile("stderr")), "exit "+args[0]; got != want {
		ts.Fatalf("%s, want %s", got, want)
	}
}

func lastLine(text string) string {
	end := len(text)
	for end > 0 && text[end-1] == '\n' {
		end--
	}
	begin := end
	for begin > 0 && text[begin-1] != '\n' {
		begin--
	}
	return text[begin:end]
}
