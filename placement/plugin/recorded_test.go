package plugin_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

var record = flag.String(
	"record",
	"",
	"executable of placement-search of a release, whose messages are recorded into testdata",
)

// recordings are the bytes that the plugin search of each released minor version put on the wire.
const recordings = "testdata/recorded"

// raw passes bytes through as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = raw{}

// connection is go-plugin's other half: the bare connection.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("serves nothing")
}

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// asked are the questions of the recording, in their order.
var asked = []struct {
	name string
	vms  []placement.VM
	want placement.Decision
	err  error
}{
	{
		name: "place",
		vms:  []placement.VM{{Presence: placement.Absent}, {Presence: placement.Present, Owner: placement.Ours, UID: "1"}},
		want: placement.Decision{Config: "b", Reason: "its virtual machine is there"},
	},
	{
		name: "no-opinion",
		vms:  []placement.VM{{Presence: placement.Absent}, {Presence: placement.Absent}},
		want: placement.Decision{Reason: "its virtual machine is in none of 2 clusters"},
	},
	{
		name: "hold",
		vms:  []placement.VM{{Presence: placement.Unreachable}, {Presence: placement.Absent}},
		err: placement.Hold{
			Reason:  placement.ReasonPresenceUnknown,
			Message: "1 of 2 clusters have not said whether they hold the virtual machine of machine ns/n: a",
		},
	},
	{
		name: "refusal",
		vms: []placement.VM{
			{Presence: placement.Present, Owner: placement.Ours},
			{Presence: placement.Present, Owner: placement.Ours},
		},
		err: placement.Refusal{
			Reason: placement.ReasonDuplicateVM, Message: "the virtual machine of machine ns/n was found in 2 clusters: a, b",
		},
	},
}

func ask(i int) placement.Request {
	req := request("a", "b")
	for n := range req.Candidates {
		req.Candidates[n].VM = asked[i].vms[n]
	}
	return req
}

// TestRecordedMinors asks hosts of today about plugins of earlier minor versions, by what those put
// on the wire: they work as they did.
func TestRecordedMinors(t *testing.T) {
	versions, err := os.ReadDir(recordings)
	if err != nil || len(versions) == 0 {
		t.Fatalf("nothing is recorded: %v", err)
	}
	for _, version := range versions {
		t.Run(version.Name(), func(t *testing.T) {
			opts := options(t)
			socket := filepath.Join(opts.TempDir, "s")
			serveRecorded(t, socket, filepath.Join(recordings, version.Name()))
			opts.Entries = []plugin.Entry{onSocket("search", socket)}
			host := start(t, opts)
			if err := host.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			strategy := host.Strategy("search")
			if needs := strategy.Needs(); needs != (placement.Needs{Presence: true}) {
				t.Errorf("Needs(): %+v", needs)
			}
			for i, question := range asked {
				got, err := strategy.Place(t.Context(), ask(i))
				if diff := cmp.Diff(question.want, got); diff != "" {
					t.Errorf("%s: -want, +got:\n%s", question.name, diff)
				}
				if diff := cmp.Diff(question.err, err); diff != "" {
					t.Errorf("%s: -want error, +got:\n%s", question.name, diff)
				}
			}
		})
	}
}

// serveRecorded answers each question with what was recorded, the decisions in their order.
func serveRecorded(t *testing.T, socket, dir string) {
	t.Helper()
	decided := 0
	answer := func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		name := map[string]string{"Info": "info", "Configure": "configure"}[filepath.Base(method)]
		if filepath.Base(method) == "Decide" {
			name = asked[decided].name
			decided++
		}
		var in []byte
		if err := stream.RecvMsg(&in); err != nil {
			return err
		}
		out, err := os.ReadFile(filepath.Join(dir, name+".binpb"))
		if err != nil {
			return err
		}
		return stream.SendMsg(&out)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(answer))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
}

// TestRecord records a plugin (go test -c ./plugin; in its folder, with a standard input that stays
// open: plugin.test -test.run TestRecord$ -record PATH). Without the flag it checks that something
// is recorded.
func TestRecord(t *testing.T) {
	if *record == "" {
		if _, err := os.Stat(filepath.Join(recordings, "v1.0", "info.binpb")); err != nil {
			t.Error(err)
		}
		return
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  plugin.ProtocolVersion,
			MagicCookieKey:   plugin.CookieKey,
			MagicCookieValue: plugin.CookieValue,
		},
		Plugins:          goplugin.PluginSet{"strategy": connection{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              exec.CommandContext(t.Context(), *record), Logger: hclog.NewNullLogger(),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense("strategy")
	if err != nil {
		t.Fatal(err)
	}
	conn := dispensed.(*grpc.ClientConn)
	call := func(method, name string, in []byte) {
		var out []byte
		err := conn.Invoke(t.Context(), "/placement.v1.StrategyService/"+method, &in, &out, grpc.ForceCodecV2(raw{}))
		err = errors.Join(err, os.MkdirAll(filepath.Join(recordings, "v1.0"), 0o755))
		err = errors.Join(err, os.WriteFile(filepath.Join(recordings, "v1.0", name+".binpb"), out, 0o644))
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
	}
	call("Info", "info", nil)
	call("Configure", "configure", nil)
	for i, question := range asked {
		in, err := plugin.WireRequest(ask(i))
		if err != nil {
			t.Fatal(err)
		}
		call("Decide", question.name, in)
	}
}
