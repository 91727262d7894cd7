package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"k8s.io/apimachinery/pkg/util/wait"
)

// downTimeout is how long a fleet may take to end.
const downTimeout = time.Minute

func downCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take a fleet down, also one that is still coming up",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return down(cmd.Context(), *dir) },
	}
}

// down asks the process that holds the fleet to end, and waits until it has given the folder free.
func down(ctx context.Context, dir string) error {
	owner, err := fleet.Owner(dir)
	if err != nil {
		return err
	}
	if owner == 0 {
		return fmt.Errorf("no fleet is running in %s", dir)
	}
	if err := syscall.Kill(owner, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping process %d: %w", owner, err)
	}
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, downTimeout, true, func(context.Context) (bool, error) {
		now, err := fleet.Owner(dir)
		return now != owner, err
	})
	if err != nil {
		return fmt.Errorf("process %d is still there: %w", owner, err)
	}
	return nil
}
