package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// sidecar runs a plugin as a process of its own on a socket until the test ends, and returns its
// process.
func sidecar(t *testing.T, socket, part, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(pluginDir, "faulty"), part, name)
	cmd.Env = []string{plugin.SocketKey + "=" + socket}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, patience, "the side-car listens", holds(func() bool { return listens(socket) }))
	return cmd
}

// listens reports whether somebody accepts connections on the socket.
func listens(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func onSocket(name, socket string) plugin.Entry { return plugin.Entry{Name: name, Socket: socket} }

// TestSidecarConformance holds the contract over the third transport.
func TestSidecarConformance(t *testing.T) {
	opts := options(t)
	socket := filepath.Join(opts.TempDir, "s")
	sidecar(t, socket, "good", "good")
	opts.Entries = []plugin.Entry{onSocket("good", socket)}
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	placementtest.RunRequests(t, host.Strategy("good"), map[string]placement.Request{"Two": request("east", "west")})
}

// TestSidecarFaults connects to what is not a side-car of ours.
func TestSidecarFaults(t *testing.T) {
	other := uint32(os.Geteuid() + 1)
	cases := map[string]struct {
		reason string
		part   string // "" for none
		name   string
		edit   func(entry *plugin.Entry)
		other  func(t *testing.T, socket string) // in place of a side-car
		want   string
	}{
		"no socket": {reason: "a side-car that has not come up has no socket yet", want: "no such file"},
		"socket of a killed side-car": {
			reason: "a killed side-car leaves a socket on which no process listens", want: "connection refused",
			other: func(t *testing.T, socket string) {
				listener, err := net.Listen("unix", socket)
				if err != nil {
					t.Fatal(err)
				}
				listener.(*net.UnixListener).SetUnlinkOnClose(false)
				_ = listener.Close()
			},
		},
		"file in place of the socket": {
			reason: "a file is not a socket", want: "connection refused",
			other: func(t *testing.T, socket string) {
				if err := os.WriteFile(socket, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			},
		},
		"process that never answers": {
			reason: "a process that listens and never answers is given up", want: "not ready within",
			other: func(t *testing.T, socket string) {
				listener, err := net.Listen("unix", socket)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = listener.Close() })
			},
		},
		"process of another user": {
			reason: "any user can listen in a shared folder, so the user is checked",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.PeerUID = &other },
			want:   "is served by user",
		},
		"side-car of another strategy": {
			reason: "a side-car that serves another strategy is refused",
			part:   "good",
			name:   "search",
			want:   `the socket serves strategy "search"`,
		},
		"crashes while it is configured": {
			reason: "a side-car that ends while it is configured is told",
			part:   "crash-configure",
			want:   "configuring it",
		},
		"configuration that the strategy refuses": {
			reason: "a configuration that the strategy refuses is told with its field",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":""}`) },
			want:   "zone: is empty",
		},
		"schema without an end": {
			reason: "a schema that refers to itself takes the plugin's stack and not the host's",
			part:   "schema-loop",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":"a"}`) },
			want:   "configuring it",
		},
		"schema that takes days": {
			reason: "a schema that doubles its work at each level takes the plugin's time and not the host's",
			part:   "schema-maze",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":"a"}`) },
			want:   "not ready within",
		},
		"configuration against the schema": {
			reason: "a configuration that breaks the schema of the strategy never reaches it",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":7}`) },
			want:   "/properties/zone",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(t, onSocket("good", ""), entry("well"))
			bad := &opts.Entries[0]
			bad.Socket = filepath.Join(opts.TempDir, "s")
			if tc.name == "" {
				tc.name = "good"
			}
			if tc.part != "" {
				sidecar(t, bad.Socket, tc.part, tc.name)
			}
			if tc.other != nil {
				tc.other(t, bad.Socket)
			}
			if tc.edit != nil {
				tc.edit(bad)
			}
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			if strings.HasPrefix(tc.want, "not ready") {
				opts.Limits.Start = 3 * time.Second
			}
			host := start(t, opts)
			err := host.WaitReady(t.Context())
			unavailable, ok := errors.AsType[plugin.Unavailable](err)
			if !ok || unavailable.Name != "good" || !strings.Contains(unavailable.Reason, tc.want) {
				t.Errorf("\n%s\nWaitReady(): want Unavailable because of %q, got %v", tc.reason, tc.want, err)
			}
			if got := state(host, "well"); got.State != plugin.Ready {
				t.Errorf("\n%s\nthe good plugin is held back: %+v", tc.reason, got)
			}
			if _, _, err := host.Place(t.Context(), placement.Given(request("east"))); !isHold(err) {
				t.Errorf("\n%s\nPlace(): want a hold, got %v", tc.reason, err)
			}
		})
	}
}

func isHold(err error) bool {
	hold, held := placement.AsHold(err)
	return held && hold.Reason == placement.ReasonStrategyUnavailable
}

// TestSidecarComesBack kills, stops and replaces a side-car: the host connects again and configures
// what it finds.
func TestSidecarComesBack(t *testing.T) {
	opts := options(t)
	socket := filepath.Join(opts.TempDir, "s")
	opts.Entries = []plugin.Entry{onSocket("good", socket)}
	opts.Limits.Call = 300 * time.Millisecond
	opts.Limits.Crashes = 1 // who runs a side-car has a back-off of his own: no quarantine
	first := sidecar(t, socket, "good", "good")
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	answers := func() bool {
		got, _, err := host.Place(t.Context(), placement.Given(request("east")))
		return err == nil && got.Config == "east"
	}
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the host sees the end of the side-car",
		holds(func() bool { return state(host, "good").State == plugin.Backoff }))
	second := sidecar(t, socket, "good", "good")
	eventually(t, patience, "another side-car answers", holds(answers))

	if err := second.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the host gives up the side-car that hangs", holds(func() bool {
		answers()
		return state(host, "good").State == plugin.Backoff
	}))
	if err := second.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the side-car answers again", holds(answers))
}

// TestServeSocket starts and ends the other side in this process.
func TestServeSocket(t *testing.T) {
	opts := options(t)
	socket := filepath.Join(opts.TempDir, "s")
	goroutines := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- plugin.ServeSocket(ctx, socket, placement.Explicit{}, slog.New(slog.DiscardHandler)) }()
	opts.Entries = []plugin.Entry{onSocket("annotation", socket)}
	host := plugin.NewHost(opts)
	if err := host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the strategy is ready",
		holds(func() bool { return state(host, "annotation").State == plugin.Ready }))
	err := plugin.ServeSocket(t.Context(), socket, placement.Explicit{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second ServeSocket() on the socket: %v", err)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v (%v)", info, err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("ServeSocket(): %v", err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if err := host.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(goroutines); err != nil {
		t.Error(err)
	}
}
