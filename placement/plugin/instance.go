package plugin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// grace is how long a plugin may take to end by itself. It has nothing to save.
const grace = 500 * time.Millisecond

// lastWords is how long after an error at its start a process may take to turn out to have ended.
const lastWords = 100 * time.Millisecond

// An instance is one running, configured plugin process.
type instance struct {
	placementv1.StrategyServiceClient
	process *process
	client  *goplugin.Client
	needs   placement.Needs
	version string
	dir     string        // the socket's, wiped with the instance
	hung    chan struct{} // closed by the pulse
	pulse   *pulse
}

// A launch is all that starting an instance takes.
type launch struct {
	entry      Entry
	executable string // resolved
	dir        string // private, for the socket
	timeout    time.Duration
	generation int64
	spawn      func(func() error) error
	log        *hostLog
}

// run starts the plugin and brings it to the point where it can be asked. If it fails, nothing is left.
func (l launch) run(ctx context.Context) (_ *instance, err error) {
	if err := errors.Join(os.RemoveAll(l.dir), os.Mkdir(l.dir, 0o700)); err != nil {
		return nil, fmt.Errorf("folder for the socket: %w", err)
	}
	i := l.newInstance()
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	// Nothing in go-plugin's start takes a context, but all of it ends with the process.
	watchdog := context.AfterFunc(ctx, func() { _ = i.process.Kill(ctx) })
	defer watchdog()
	defer func() {
		if err != nil {
			i.stop()
		}
	}()
	if err := i.connect(); err != nil {
		return nil, l.explain(ctx, i, err)
	}
	if err := i.introduce(ctx, l.entry); err != nil {
		return nil, l.explain(ctx, i, err)
	}
	if err := i.configure(ctx, l.entry, l.generation); err != nil {
		return nil, l.explain(ctx, i, err)
	}
	return i, nil
}

// explain says what the error really means: that the time was up, or that the process has ended.
func (l launch) explain(ctx context.Context, i *instance, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not ready within %v", l.timeout)
	}
	select {
	case <-i.process.exited:
	case <-time.After(lastWords): // it runs: the error is about what it said
		return err
	}
	if status := i.process.status(); !killed(status) {
		return ended(status)
	}
	return err
}

func (l launch) newInstance() *instance {
	hung := make(chan struct{})
	i := &instance{dir: l.dir, hung: hung, pulse: &pulse{hung: sync.OnceFunc(func() { close(hung) })}}
	cmd := exec.Command(l.executable, l.entry.Args...)
	cmd.Dir = "/"
	i.process = newProcess(cmd, l.spawn)
	config := &goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          goplugin.PluginSet{dispensed: glue{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     l.timeout,
		Logger:           l.log.forGoPlugin(),
		SyncStdout:       l.log.writer("stdout"),
		SyncStderr:       l.log.writer("stderr"),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: l.dir},
		GRPCDialOptions:  []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes))},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			cmd.Env = spec.Env
			return i.process, nil
		},
	}
	i.client = goplugin.NewClient(config)
	return i
}

// connect starts the process and shakes hands.
func (i *instance) connect() error {
	protocol, err := i.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(dispensed)
	if err != nil {
		return err
	}
	i.StrategyServiceClient = raw.(placementv1.StrategyServiceClient)
	return nil
}

// introduce learns what the plugin is, and refuses one that is not what the entry says.
func (i *instance) introduce(ctx context.Context, entry Entry) error {
	info, err := i.Info(ctx, &placementv1.InfoRequest{})
	if err != nil {
		return fmt.Errorf("asking what it is: %w", err)
	}
	if info.GetName() != entry.Name {
		return fmt.Errorf("the executable serves strategy %q", clip(info.GetName()))
	}
	i.version = clip(info.GetVersion())
	i.needs, err = decodeNeeds(info.GetNeeds())
	return err
}

// configure hands over the entry's configuration. Its error is placement.Violations where the plugin does not like it.
func (i *instance) configure(ctx context.Context, entry Entry, generation int64) error {
	reply, err := i.Configure(ctx, &placementv1.ConfigureRequest{Config: entry.Config, Generation: generation})
	if err != nil {
		return fmt.Errorf("configuring it: %w", err)
	}
	var violations placement.Violations
	for _, v := range reply.GetViolations() {
		violations = append(violations, placement.Violation{Field: clip(v.GetField()), Message: clip(v.GetMessage())})
	}
	if violations != nil {
		return violations
	}
	return nil
}

// stop ends the process and leaves nothing. The process goes first: go-plugin's Kill waits for ever for one that hangs.
func (i *instance) stop() {
	i.process.end(grace)
	i.client.Kill()
	_ = os.RemoveAll(i.dir)
}

// pinned is go-plugin's check of the executable's content.
func pinned(sha string) (*goplugin.SecureConfig, error) {
	if sha == "" {
		return nil, nil
	}
	digest, err := decodeDigest(sha)
	if err != nil {
		return nil, err
	}
	return &goplugin.SecureConfig{Checksum: digest, Hash: sha256.New()}, nil
}
