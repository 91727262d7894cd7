package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// Supervisor is the supervisor cluster's name.
const Supervisor = "supervisor"

// ErrUnknownCluster is returned for a name that no cluster of the fleet has.
var ErrUnknownCluster = errors.New("unknown cluster")

// Fleet is a supervisor and its remotes.
type Fleet struct {
	// Supervisor holds the Machines.
	Supervisor *Cluster
	// Remotes run KubeVirt: cluster-east, cluster-west, cluster-north, cluster-4 and so on.
	Remotes []*Cluster

	options Options
	folder  *folder
}

// Start starts all clusters side by side and waits until they can be used. On an error nothing is
// left behind.
func Start(ctx context.Context, options Options) (_ *Fleet, err error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	release, err := options.reservePorts()
	if err != nil {
		return nil, err
	}
	defer release()
	f := &Fleet{options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Stop())
		}
	}()
	if err := f.openFolder(ctx); err != nil {
		return nil, err
	}
	for i, name := range options.names() {
		c := newCluster(name, i, f.options, f.folder)
		if i == 0 {
			f.Supervisor = c
		} else {
			f.Remotes = append(f.Remotes, c)
		}
	}
	starting, ctxStarting := errgroup.WithContext(ctx)
	for _, c := range f.Clusters() {
		starting.Go(func() error { return c.start(ctxStarting) })
	}
	if err := starting.Wait(); err != nil {
		return nil, err
	}
	if err := f.connect(ctx); err != nil {
		return nil, err
	}
	f.options.say("fleet", "ready")
	return f, nil
}

// openFolder takes the folder, unless its disk is too small.
func (f *Fleet) openFolder(ctx context.Context) (err error) {
	if f.folder, err = openFolder(ctx, f.options.Dir); err != nil {
		return err
	}
	free, err := f.folder.free()
	if err == nil && free < f.options.MinFree {
		return fmt.Errorf("%s has %d MiB free, a fleet with %d remotes needs %d: %w",
			f.folder.path, free>>20, f.options.Remotes, f.options.MinFree>>20, syscall.ENOSPC)
	}
	return err
}

// Stop ends all clusters and removes what the fleet put into its folder. It can be called twice.
func (f *Fleet) Stop() error {
	clusters := f.Clusters()
	errs := make([]error, len(clusters))
	var stopping sync.WaitGroup
	for i, c := range clusters {
		stopping.Go(func() { errs[i] = c.stop() })
	}
	stopping.Wait()
	if f.folder != nil {
		errs = append(errs, f.folder.close())
	}
	return errors.Join(errs...)
}

// Clusters returns the supervisor and then the remotes.
func (f *Fleet) Clusters() []*Cluster {
	if f.Supervisor == nil {
		return nil
	}
	return append([]*Cluster{f.Supervisor}, f.Remotes...)
}

// Cluster returns the cluster of a name, or ErrUnknownCluster with the names that there are.
func (f *Fleet) Cluster(name string) (*Cluster, error) {
	for _, c := range f.Clusters() {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w %q: want one of %s", ErrUnknownCluster, name, strings.Join(f.options.names(), ", "))
}

// Dir returns the fleet's folder.
func (f *Fleet) Dir() string { return f.folder.path }

// OperatorKubeconfig returns the path of the operator's kubeconfig for the supervisor.
func (f *Fleet) OperatorKubeconfig() string { return f.folder.operatorKubeconfig() }
