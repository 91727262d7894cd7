package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// A dial holds what it takes to connect to a side-car.
type dial struct {
	entry      Entry
	timeout    time.Duration
	generation int64
	claim      claim
}

// A connection is the carrier of a side-car: one connection to its socket. It is never renewed
// underneath. After a break another process may answer, which was neither checked nor configured.
type connection struct {
	conn *grpc.ClientConn
	lost chan struct{}
	stay context.CancelFunc // ends the watch

	mu     sync.Mutex
	dialed bool
	err    error // of the dialling
}

func (c *connection) gone() <-chan struct{} { return c.lost }

func (c *connection) end() error { return errors.New("the connection broke") }

func (c *connection) stop() {
	c.stay()
	_ = c.conn.Close()
	<-c.lost
}

// run connects and brings the plugin to the point where it can be asked. If it fails, nothing is
// left.
func (d dial) run(ctx context.Context) (_ *instance, err error) {
	if d.claim == yields {
		return nil, errYields
	}
	c, err := d.connect()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	i := newInstance()
	i.carrier, i.StrategyServiceClient = c, placementv1.NewStrategyServiceClient(c.conn)
	if err := d.prepare(ctx, i); err != nil {
		switch refused := c.refusal(); {
		case refused != nil:
			return nil, refused
		case outOfTime(ctx, err):
			return nil, notReady(d.timeout)
		}
		return nil, err
	}
	return i, nil
}

func (d dial) prepare(ctx context.Context, i *instance) error {
	if d.claim == proposes {
		return i.propose(ctx, d.entry)
	}
	return i.prepare(ctx, d.entry, d.generation)
}

func (d dial) connect() (*connection, error) {
	uid := uint32(os.Geteuid())
	if d.entry.PeerUID != nil {
		uid = *d.entry.PeerUID
	}
	c := &connection{lost: make(chan struct{})}
	var err error
	c.conn, err = grpc.NewClient(
		"passthrough:///plugin",
		grpc.WithTransportCredentials(
			insecure.NewCredentials(),
		), // it never leaves the kernel, and the kernel says who is there
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes)),
		grpc.WithIdleTimeout(0),
		grpc.WithNoProxy(),
		grpc.WithContextDialer(
			func(ctx context.Context, _ string) (net.Conn, error) { return c.dial(ctx, d.entry.Socket, uid) },
		),
	)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", d.entry.Socket, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.stay = cancel
	go c.watch(ctx)
	return c, nil
}

// dial connects once, to a peer of that user.
func (c *connection) dial(ctx context.Context, socket string, uid uint32) (_ net.Conn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dialed {
		return nil, errors.New("the connection broke")
	}
	c.dialed = true
	defer func() { c.err = err }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	peer, err := peerUID(conn.(*net.UnixConn))
	if err == nil && peer != uid {
		err = fmt.Errorf("socket %s is served by user %d, not by user %d", socket, peer, uid)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// refusal returns why there is no connection, or nil if there was one.
func (c *connection) refusal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// watch notices the end of the connection.
func (c *connection) watch(ctx context.Context) {
	defer close(c.lost)
	for wasReady := false; ; {
		state := c.conn.GetState()
		if wasReady && state != connectivity.Ready || state == connectivity.TransientFailure ||
			state == connectivity.Shutdown {
			return
		}
		wasReady = state == connectivity.Ready
		if !c.conn.WaitForStateChange(ctx, state) {
			return
		}
	}
}
