package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// SocketKey names the variable that makes a plugin a side-car; its value is the path of the unix
// socket to serve on.
const SocketKey = "PLACEMENT_SOCKET"

// socketMode lets the group connect: the operator's container may run as another user.
const socketMode = 0o660

// ServeSocket serves the strategy on a unix socket until ctx ends, and takes the socket away again.
// A socket that a killed side-car has left is replaced. A socket on which another process answers
// is an error. A host that connects again configures the strategy anew, and never while an earlier
// question is being answered.
func ServeSocket(ctx context.Context, path string, strategy placement.Strategy, log *slog.Logger) error {
	if err := removeStale(path); err != nil {
		return err
	}
	listener, err := listen(ctx, path)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	serving := grpc.NewServer(serverOptions(log)...)
	placementv1.RegisterStrategyServiceServer(serving, newServer(strategy))
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		quick := time.AfterFunc(grace, serving.Stop)
		defer quick.Stop()
		serving.GracefulStop()
	})
	err = serving.Serve(listener)
	if stop() {
		return fmt.Errorf("socket: %w", err)
	}
	<-stopped
	return nil
}

// listen listens on a socket that has its mode before it can be reached: it is made in a folder
// that only this user can enter, and moved to its place. In place, the umask would decide for a
// moment.
func listen(ctx context.Context, path string) (_ net.Listener, err error) {
	private, err := os.MkdirTemp(filepath.Dir(path), "") // a short name: a socket's path has some 100 bytes
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(private) }()
	made := filepath.Join(private, "s")
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", made)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // it will not be where it was made
	if err := errors.Join(os.Chmod(made, socketMode), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &movedListener{Listener: listener, path: path}, nil
}

// A movedListener takes its socket away before it closes, from where it was moved to. After that
// the path may be another side-car's.
type movedListener struct {
	net.Listener
	path string
	once sync.Once
}

// Close implements net.Listener.
func (l *movedListener) Close() error {
	l.once.Do(func() { _ = os.Remove(l.path) })
	return l.Listener.Close()
}

// removeStale removes a socket on which no process listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("socket %s is in use", path), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("socket: %w", err)
	}
	return os.Remove(path)
}
