package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// grace is how long a plugin may take to end by itself. It has nothing to save.
const grace = 500 * time.Millisecond

// lastWords is how long after an error at its start a process may take to turn out to have ended.
const lastWords = time.Second

// A launch is all that starting a process takes.
type launch struct {
	entry      Entry
	executable *executable
	dir        string // private, for the socket
	timeout    time.Duration
	generation int64
	spawn      func(func() error) error
	log        *hostLog
}

// A child is the carrier of a plugin that is a process of the host's own.
type child struct {
	process *process
	client  *goplugin.Client
	dir     string // the socket's, wiped with the process
}

func (c *child) gone() <-chan struct{} { return c.process.exited }

func (c *child) end() error { return ended(c.process.status()) }

// stop kills the process before it calls go-plugin's Kill, which would wait for ever for a process
// that hangs.
func (c *child) stop() {
	c.process.end(grace)
	c.client.Kill()
	_ = os.RemoveAll(c.dir)
}

// run starts the plugin and brings it to the point where it can be asked. If it fails, nothing is
// left.
func (l launch) run(ctx context.Context) (_ *instance, err error) {
	if err := errors.Join(os.RemoveAll(l.dir), os.Mkdir(l.dir, 0o700)); err != nil {
		return nil, notRun{fmt.Errorf("folder for the socket: %w", err)}
	}
	c, err := l.newChild()
	if err != nil {
		return nil, notRun{err}
	}
	i := newInstance()
	i.carrier = c
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	// Nothing in go-plugin's start takes a context, but all of it ends with the process.
	watchdog := context.AfterFunc(ctx, func() { _ = c.process.Kill(ctx) })
	defer watchdog()
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if i.StrategyServiceClient, err = c.connect(); err != nil {
		return nil, l.explain(ctx, c, err)
	}
	if err := i.prepare(ctx, l.entry, l.generation); err != nil {
		return nil, l.explain(ctx, c, err)
	}
	return i, nil
}

// explain says what the error really means: that there was no process, that the time was up, or
// that the process has ended.
func (l launch) explain(ctx context.Context, c *child, err error) error {
	if !c.process.started() {
		return notRun{err}
	}
	if outOfTime(ctx, err) {
		return notReady(l.timeout)
	}
	select {
	case <-c.process.exited:
	case <-time.After(lastWords): // it runs: the error is about what it said
		return err
	}
	if status := c.process.status(); !killed(status) {
		return ended(status)
	}
	return err
}

// outOfTime reports whether the time was up. The plugin knows the deadline as well, and may say so
// a moment before the host's own clock does.
func outOfTime(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded
}

func notReady(timeout time.Duration) error { return fmt.Errorf("not ready within %v", timeout) }

// notRun is the error of a start that did not come to running the plugin's code: no folder for its
// socket, no pipe, no process. That is the trouble of the host, which has no files, memory or room
// left, or of the file.
type notRun struct{ error }

// Error says who is in trouble.
func (n notRun) Error() string { return "the host could not start it: " + n.error.Error() }

// Unwrap returns what failed.
func (n notRun) Unwrap() error { return n.error }

func (l launch) newChild() (*child, error) {
	cmd, err := l.executable.command(l.dir, l.entry.Args)
	if err != nil {
		return nil, err
	}
	cmd.Dir = "/"
	c := &child{dir: l.dir, process: newProcess(cmd, l.spawn, l.log.follow)}
	c.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: versions(glue{}),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     2 * l.timeout, // the watchdog comes first: the two would tell one thing in two ways
		Logger:           l.log.forGoPlugin(),
		SyncStdout:       l.log.writer("stdout"),
		SyncStderr:       l.log.writer("stderr"),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: l.dir},
		GRPCDialOptions:  []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes))},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			cmd.Env = spec.Env
			return c.process, nil
		},
	})
	return c, nil
}

// connect starts the process and shakes hands.
func (c *child) connect() (placementv1.StrategyServiceClient, error) {
	protocol, err := c.client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(dispensed)
	if err != nil {
		return nil, err
	}
	return raw.(placementv1.StrategyServiceClient), nil
}
