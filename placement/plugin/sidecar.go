package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
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
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return errors.Join(err, listener.Close())
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
