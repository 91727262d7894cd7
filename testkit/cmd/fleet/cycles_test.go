package main

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"k8s.io/apimachinery/pkg/util/wait"
)

const cycles = 20

// TestLongCycles takes a fleet up and down again and again: no process, port or folder may be left.
func TestLongCycles(t *testing.T) {
	work, temporary := t.TempDir(), t.TempDir()
	t.Cleanup(func() { endAll(t, work) })
	dir := filepath.Join(work, "fleet")
	command := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "fleet", append(args, "--dir", dir)...)
		cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
		var message strings.Builder
		cmd.Stderr = &message
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("fleet %s: %v: %s", strings.Join(args, " "), err, message.String())
		}
		return out
	}
	listening, took := 0, []time.Duration{}
	for range cycles {
		started := time.Now()
		command("up", "--remotes=1", "--kubevirt=light", "--detach")
		took = append(took, time.Since(started).Round(100*time.Millisecond))
		var status []fleet.Status
		if err := json.Unmarshal(command("status", "-o", "json"), &status); err != nil {
			t.Fatal(err)
		}
		pids, ports := processesIn(work), portsOf(t, status)
		if len(pids) < 7 { // three servers of two clusters, and who holds them
			t.Fatalf("only %d processes are seen: the count means nothing", len(pids))
		}
		if open := openPorts(ports); len(open) != len(ports) {
			t.Fatalf("only %v of %v listen: the count means nothing", open, ports)
		}
		listening += len(ports)
		command("down")
		nothingLeft(t, work, temporary, ports)
	}
	slices.Sort(took)
	t.Logf("%d cycles: up took %s to %s, median %s; %d ports listened; 0 processes, 0 ports, 0 folders are left",
		cycles, took[0], took[len(took)-1], took[len(took)/2], listening)
}

// nothingLeft fails the test if something of a fleet outlives `fleet down`. Janitors and zombies
// get a moment.
func nothingLeft(t *testing.T, work, temporary string, ports []string) {
	t.Helper()
	_ = wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 5*time.Second, true,
		func(context.Context) (bool, error) { return len(processesIn(work)) == 0, nil })
	if left := processesIn(work); len(left) > 0 {
		t.Fatalf("processes %v are left", left)
	}
	if open := openPorts(ports); len(open) > 0 {
		t.Fatalf("ports %v still listen", open)
	}
	for _, folder := range []string{work, temporary} {
		left, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Fatalf("%s has %v left", folder, left)
		}
	}
}

// portsOf returns the addresses of all API servers and proxies.
func portsOf(t *testing.T, status []fleet.Status) []string {
	t.Helper()
	var ports []string
	for _, cluster := range status {
		for _, server := range []string{cluster.Server, cluster.Proxy} {
			address, err := url.Parse(server)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, address.Host)
		}
	}
	return ports
}

func openPorts(ports []string) []string {
	var open []string
	for _, port := range ports {
		connection, err := net.Dial("tcp", port)
		if err == nil {
			_ = connection.Close()
			open = append(open, port)
		}
	}
	return open
}
