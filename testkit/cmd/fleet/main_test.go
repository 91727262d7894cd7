package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"k8s.io/apimachinery/pkg/util/wait"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fleet": main,
		// fleet-no-room is fleet on a disk that is too small for it, whatever the disk: it wants an
		// exbibyte.
		"fleet-no-room": func() {
			os.Exit(run(context.Background(), command(fleet.Options{MinFree: 1 << 60}), os.Stderr))
		},
	})
}

// TestScripts runs each script of testdata with the command line as people get it. A script's
// folder holds everything that it starts.
func TestScripts(t *testing.T) {
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kubectl, err := controlplane.LookUp("kubectl", filepath.Join(cache, "kubernetes-"+controlplane.KubernetesVersion))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("KUBEVIRT_MULTICLUSTER_CACHE", cache)
			env.Setenv("KUBECTL", kubectl)
			env.Defer(func() { endAll(t, env.WorkDir) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refuses":  refusesCommand,
			"waitfile": waitFileCommand,
			"sigkill":  sigkillCommand,
			"held":     heldCommand,
			"nothing":  nothingCommand,
			"port":     portCommand,
		},
		RequireUniqueNames: true,
	})
}

// refusesCommand runs a command and fails unless it ends with status 2, has written nothing on
// standard output, and one line on standard error that contains the text.
func refusesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refuses TEXT COMMAND [ARGUMENT...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		ts.Fatalf("want exit status 2, got %v", err)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("want nothing on standard output, got %q", out)
	}
	got := ts.ReadFile("stderr")
	if !strings.HasPrefix(got, "fleet: ") || strings.Index(got, "\n") != len(got)-1 || !strings.Contains(got, args[0]) {
		ts.Fatalf("want one line with %q on standard error, got %q", args[0], got)
	}
}

// waitFileCommand waits until a file or folder is there.
func waitFileCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfile PATH")
	}
	path := ts.MkAbs(args[0])
	poll(ts, path, func() bool { _, err := os.Stat(path); return err == nil })
}

// sigkillCommand ends the process that holds the fleet in a folder, so that it cannot do anything
// about it.
func sigkillCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sigkill DIR")
	}
	owner, err := fleet.Owner(ts.MkAbs(args[0]))
	ts.Check(err)
	if owner == 0 {
		ts.Fatalf("no fleet is in %s", args[0])
	}
	ts.Check(syscall.Kill(owner, syscall.SIGKILL))
	poll(ts, "the end of the process", func() bool {
		now, err := fleet.Owner(ts.MkAbs(args[0]))
		return now != owner || err != nil || !running(owner)
	})
}

// heldCommand waits until a process that is alive holds the fleet in a folder: after a violent end,
// the dead one's janitor does for a moment.
func heldCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: held DIR")
	}
	poll(ts, "a fleet in "+args[0], func() bool {
		owner, err := fleet.Owner(ts.MkAbs(args[0]))
		return err == nil && owner != 0 && running(owner)
	})
}

// running says whether a process is there and does not merely wait for its parent to take notice of
// its end.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// nothingCommand waits until no process works below the script's folder, and no folder is left in
// its TMPDIR.
func nothingCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: nothing")
	}
	work := ts.Getenv("WORK")
	poll(ts, "the end of all processes", func() bool { return len(processesIn(work)) == 0 })
	left, err := filepath.Glob(filepath.Join(ts.Getenv("TMPDIR"), "fleet-*"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left behind: %v", left)
	}
}

// portCommand listens on a port until the script ends, and puts its number into a variable.
func portCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port VARIABLE")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv(args[0], strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
}

func poll(ts *testscript.TestScript, what string, done func() bool) {
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { return done(), nil })
	if err != nil {
		ts.Fatalf("waiting for %s: %v", what, err)
	}
}

// processesIn returns the ids of the other processes that were given a folder, as an argument or in
// their environment.
func processesIn(dir string) []int {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var found []int
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil || pid == os.Getpid() {
			continue
		}
		arguments, _ := os.ReadFile(filepath.Join(path, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(path, "environ"))
		if strings.Contains(string(arguments)+string(environment), dir) {
			found = append(found, pid)
		}
	}
	return found
}

// endAll ends what a script that failed has left.
func endAll(t *testing.T, dir string) {
	for _, pid := range processesIn(dir) {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("ending process %d: %v", pid, err)
		}
	}
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { return len(processesIn(dir)) == 0, nil })
	if err != nil {
		t.Errorf("processes %v are still there", processesIn(dir))
	}
}
