package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

// verdictTimeout is how long a command waits for clusters to answer.
const verdictTimeout = 20 * time.Second

// session is a way into the supervisor and its clusters for a command that does one thing.
type session struct {
	ctrl.Manager
	remotes clientmgr.RemoteClusters
	options app.Options
	// silent are the clusters without an answer, with the reason.
	silent map[string]error
}

// inSession connects to the supervisor and to every cluster, waits until each has answered or
// failed to, calls do, and disconnects. It leads nothing and caches nothing of the clusters.
func inSession(ctx context.Context, by *entry, do func(context.Context, *session) error) error {
	ctrl.SetLogger(logr.Discard())
	options := by.options
	if err := options.CompleteSession(); err != nil {
		return err
	}
	config, err := by.open(ctx, &options)
	if err != nil {
		return err
	}
	mgr, err := app.NewManager(config, options, cache.New)
	if err != nil {
		return err
	}
	if options.Machine.Desired.SupervisorUID, err = app.Identity(ctx, mgr.GetAPIReader(), options); err != nil {
		return err
	}
	of := app.RemoteOptions(options, options.Machine.Desired.SupervisorUID, mgr.GetAPIReader())
	of.Kinds, of.Rights = nil, nil
	remotes, err := clientmgr.NewKubevirtClientManager(mgr.GetClient(), mgr.GetCache(), of)
	if err != nil {
		return fmt.Errorf("client manager: %w", err)
	}
	if err := mgr.Add(remotes); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	s := &session{Manager: mgr, remotes: remotes, options: options}
	if err = s.wait(ctx); err == nil {
		err = do(ctx, s)
	}
	cancel()
	return errors.Join(err, <-ended)
}

// wait returns when every cluster has answered or failed to.
func (s *session) wait(ctx context.Context) error {
	var configs []vitistackv1alpha1.KubevirtConfig
	var last error
	answered := func(ctx context.Context) (bool, error) {
		if configs, last = s.remotes.ListKubevirtConfigs(ctx); last != nil {
			return false, nil
		}
		for _, config := range configs {
			state, found := s.remotes.State(config.Name)
			if !found || state.Reason == clientmgr.ReasonConnecting {
				return false, nil
			}
		}
		return true, nil
	}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, verdictTimeout, true, answered)
	if last != nil {
		return fmt.Errorf("%w (KUBEVIRT_CONFIGS_NAMESPACE is %q)", last, s.options.Machine.ConfigsNamespace)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	s.silent = map[string]error{}
	for _, config := range configs {
		if _, err := s.remotes.GetClientForConfig(ctx, config.Name); err != nil {
			s.silent[config.Name] = err
		}
	}
	return nil
}
