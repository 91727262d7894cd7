package plugin_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// runHost is the host process of TestNoPluginOutlivesItsHost: it prints the plugins' process IDs
// and waits to be killed.
func runHost(dir string) {
	digest, err := plugin.Digest(dir + "/faulty")
	if err != nil {
		fmt.Println(err)
		return
	}
	var entries []plugin.Entry
	for _, name := range []string{"a", "b", "c"} {
		entries = append(entries, plugin.Entry{Name: name, Path: "faulty", SHA256: digest, Args: []string{"good", name}})
	}
	host := plugin.NewHost(
		plugin.Options{Dir: dir, Entries: entries, TempDir: os.Getenv("PLACEMENT_TEST_TMP"), Limits: quick},
	)
	if err := host.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	if err := host.WaitReady(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(host.PID("a"), host.PID("b"), host.PID("c"))
	select {}
}

func TestNoPluginOutlivesItsHost(t *testing.T) {
	temp := options(t).TempDir
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), hostEnv+"="+pluginDir, "PLACEMENT_TEST_TMP="+temp)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for field := range strings.FieldsSeq(line) {
		pid, err := strconv.Atoi(field)
		if err != nil || !alive(pid) {
			t.Fatalf("the host says %q", line)
		}
		pids = append(pids, pid)
	}
	if err := syscall.Kill(pids[1], syscall.SIGSTOP); err != nil { // this one cannot see its life-line
		t.Fatal(err)
	}
	eventually(t, patience, "one plugin is stopped", holds(func() bool { return processState(pids[1]) == "T" }))
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	for _, pid := range pids {
		eventually(t, patience, fmt.Sprintf("plugin %d is gone", pid), holds(func() bool { return !alive(pid) }))
	}

	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 1 {
		t.Fatalf("want the killed host's folder in %s, got %v (%v)", temp, left, err)
	}
	opts := options(t)
	opts.TempDir = temp
	next := start(t, opts)
	if now, err := os.ReadDir(temp); err != nil || len(now) != 1 || now[0].Name() == left[0].Name() {
		t.Errorf("the next host must remove what the killed one left: %v (%v)", now, err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}
