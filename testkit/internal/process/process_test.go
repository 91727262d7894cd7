package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// patience is for one thing that is waited for, on a loaded machine.
const patience = 20 * time.Second

// parentVariable makes this test binary act as a parent that has children: it says how the parent
// ends by itself.
const parentVariable = "PROCESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if end := os.Getenv(parentVariable); end != "" {
		if err := beParent(end); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beParent starts a child and a folder, prints "PID FOLDER" and then ends in the given way or waits
// for a signal.
func beParent(end string) error {
	dir, _, err := TempDir("process-test-")
	if err != nil {
		return err
	}
	child, err := Start(Spec{Name: "sleep", Path: "/bin/sleep", Args: []string{"600"}, Log: filepath.Join(dir, "log")})
	if err != nil {
		return err
	}
	fmt.Println(child.PID(), dir)
	if end == "panic" {
		panic("as the test asks")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	return nil
}

func TestNothingOutlivesTheParent(t *testing.T) {
	cases := map[string]struct {
		reason string
		end    string
		signal syscall.Signal
	}{
		"panic":   {reason: "no deferred function of another goroutine runs", end: "panic"},
		"sigterm": {reason: "the parent returns without having stopped its child", end: "wait", signal: syscall.SIGTERM},
		"sigint":  {reason: "as Ctrl-C does", end: "wait", signal: syscall.SIGINT},
		"sigkill": {reason: "the parent cannot do anything at all", end: "wait", signal: syscall.SIGKILL},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), parentVariable+"="+tc.end)
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatalf("%s: reading what the parent printed: %v", tc.reason, err)
			}
			var pid int
			var dir string
			if _, err := fmt.Sscan(line, &pid, &dir); err != nil {
				t.Fatalf("%s: parent printed %q: %v", tc.reason, line, err)
			}
			if tc.signal != 0 {
				if err := parent.Process.Signal(tc.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = parent.Wait() // each of these ends is a bad one
			eventually.Eventually(t, patience, tc.reason+": the child is gone", eventually.True(func() bool {
				return !alive(pid)
			}))
			eventually.Eventually(t, patience, tc.reason+": the folder is gone", eventually.True(func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, os.ErrNotExist)
			}))
		})
	}
}

func TestProcess(t *testing.T) {
	start := func(t *testing.T, script string) *Process {
		t.Helper()
		p, err := Start(Spec{Name: "script", Path: "/bin/sh", Args: []string{"-c", script},
			Log: filepath.Join(t.TempDir(), "log")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Kill() })
		return p
	}

	t.Run("an end is told with the log's last line", func(t *testing.T) {
		p := start(t, "echo first; echo 'no space left' >&2; exit 3")
		<-p.Done()
		if got, want := p.Exited().Error(), "script ended (exit status 3): no space left"; got != want {
			t.Errorf("Exited() = %q, want %q", got, want)
		}
	})
	t.Run("a structured log's last line is told without its stack", func(t *testing.T) {
		p := start(
			t, `printf '%s\n' '{"level":"error","msg":"committing failed","error":"no space left","stacktrace":"a\nb"}'; exit 1`)
		<-p.Done()
		if got, want := p.Exited().Error(), "script ended (exit status 1): committing failed: no space left"; got != want {
			t.Errorf("Exited() = %q, want %q", got, want)
		}
	})
	t.Run("a running one has not exited", func(t *testing.T) {
		if err := start(t, "sleep 600").Exited(); err != nil {
			t.Errorf("Exited() = %v", err)
		}
	})
	t.Run("a frozen one can be stopped", func(t *testing.T) {
		p := start(t, "sleep 600")
		if err := p.Freeze(); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, "it is stopped", eventually.True(func() bool { return state(p.PID()) == "T" }))
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive(p.PID()) {
			t.Error("it is still there")
		}
	})
	t.Run("one that ignores SIGTERM is killed when the context ends", func(t *testing.T) {
		p := start(t, `trap "" TERM; echo ready; while :; do sleep 600; done`)
		eventually.Eventually(t, patience, "the trap is set", eventually.True(func() bool {
			return lastLine(p.spec.Log) == "ready"
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if alive(p.PID()) {
			t.Error("it is still there")
		}
	})
	t.Run("thawing and killing an ended one is no error", func(t *testing.T) {
		p := start(t, "exit 0")
		<-p.Done()
		if err := errors.Join(p.Thaw(), p.Kill(), p.Stop(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Run("a missing binary is told by name", func(t *testing.T) {
		_, err := Start(Spec{Name: "etcd", Path: "/nonexistent/etcd", Log: filepath.Join(t.TempDir(), "log")})
		if err == nil || !strings.Contains(err.Error(), "starting etcd") {
			t.Errorf("Start() = %v", err)
		}
	})
}

func alive(pid int) bool { return state(pid) != "" && state(pid) != "Z" }

// state is the process's state letter, or "" if it is gone.
func state(pid int) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	return fields[0]
}
