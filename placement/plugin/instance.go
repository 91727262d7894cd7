package plugin

import (
	"context"
	"fmt"
	"sync"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// A carrier is what an instance is reached by: a process of the host's own, or a connection to
// somebody else's.
type carrier interface {
	// gone is closed when the plugin has ended by itself.
	gone() <-chan struct{}
	// end says why it has; it is called after gone.
	end() error
	// stop ends it and leaves nothing.
	stop()
}

// An instance is one running, configured plugin.
type instance struct {
	placementv1.StrategyServiceClient
	carrier carrier
	needs   placement.Needs
	version string
	schema  []byte
	hung    chan struct{} // closed by the pulse
	pulse   *pulse
}

func newInstance() *instance {
	hung := make(chan struct{})
	return &instance{hung: hung, pulse: &pulse{hung: sync.OnceFunc(func() { close(hung) })}}
}

// prepare brings a plugin that can be talked to to the point where it can be asked.
func (i *instance) prepare(ctx context.Context, entry Entry, generation int64) error {
	if err := i.introduce(ctx, entry); err != nil {
		return err
	}
	if err := validateConfig(i.schema, entry.Config); err != nil {
		return err
	}
	return i.configure(ctx, entry, generation)
}

// introduce learns what the plugin is, and refuses one that is not what the entry says.
func (i *instance) introduce(ctx context.Context, entry Entry) error {
	info, err := i.Info(ctx, &placementv1.InfoRequest{})
	if err != nil {
		return fmt.Errorf("asking what it is: %w", err)
	}
	if info.GetName() != entry.Name {
		return fmt.Errorf("the %s serves strategy %q", entry.transport(), clip(info.GetName()))
	}
	i.version, i.schema = clip(info.GetVersion()), info.GetConfigSchema()
	i.needs, err = decodeNeeds(info.GetNeeds(), info.GetUnread())
	return err
}

// configure hands over the entry's configuration. Its error is placement.Violations where the
// plugin does not like it.
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
