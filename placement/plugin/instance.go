package plugin

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// A carrier is the way to an instance: a process that the host started, or a connection to a
// side-car.
type carrier interface {
	// gone is closed when the plugin has ended by itself.
	gone() <-chan struct{}
	// end says why it has; it is called after gone.
	end() error
	// stop ends it and leaves nothing.
	stop()
}

const (
	// maxDecisionBytes limits an answer to a question.
	maxDecisionBytes = 64 << 10
	// maxSetupBytes limits what a plugin says of itself and of its configuration.
	maxSetupBytes = 1 << 20
	// maxViolations is how many faults of a configuration are told; the rest is counted.
	maxViolations = 20
)

// An instance is one running, configured plugin.
type instance struct {
	placementv1.StrategyServiceClient
	carrier carrier
	needs   placement.Needs
	version string
	hung    chan struct{} // closed by the pulse
	pulse   *pulse
}

func newInstance() *instance {
	hung := make(chan struct{})
	return &instance{hung: hung, pulse: &pulse{hung: sync.OnceFunc(func() { close(hung) })}}
}

// prepare checks and configures a plugin that is connected, so that it can be asked.
func (i *instance) prepare(ctx context.Context, entry Entry, generation int64) error {
	if err := i.introduce(ctx, entry); err != nil {
		return err
	}
	return i.configure(ctx, entry, generation)
}

// propose checks a plugin that is connected, and its configuration, which is not used yet.
func (i *instance) propose(ctx context.Context, entry Entry) error {
	if err := i.introduce(ctx, entry); err != nil {
		return err
	}
	return i.validate(ctx, entry)
}

// introduce asks the plugin what it is, and fails if that is not what the entry says.
func (i *instance) introduce(ctx context.Context, entry Entry) error {
	info, err := i.Info(ctx, &placementv1.InfoRequest{}, grpc.MaxCallRecvMsgSize(maxSetupBytes))
	if err != nil {
		return fmt.Errorf("asking what it is: %w", err)
	}
	if info.GetName() != entry.Name {
		return fmt.Errorf("the %s serves strategy %q", entry.transport(), clip(info.GetName()))
	}
	i.version = clip(info.GetVersion())
	i.needs, err = decodeNeeds(info.GetNeeds(), info.GetUnread())
	return err
}

// configure hands over the entry's configuration. Its error is placement.Violations where the
// plugin does not like it.
func (i *instance) configure(ctx context.Context, entry Entry, generation int64) error {
	request := &placementv1.ConfigureRequest{
		Config: entry.Config, Generation: generation, Configuration: entry.configuration(),
	}
	reply, err := i.Configure(ctx, request, grpc.MaxCallRecvMsgSize(maxSetupBytes))
	if err != nil {
		return fmt.Errorf("configuring it: %w", err)
	}
	return violationsOf(reply.GetViolations())
}

// validate asks what is wrong with the entry's configuration, which the plugin does not use. An
// older plugin cannot be asked; it tells with Configure. The error is that of configure.
func (i *instance) validate(ctx context.Context, entry Entry) error {
	request := &placementv1.ValidateConfigRequest{Config: entry.Config}
	reply, err := i.ValidateConfig(ctx, request, grpc.MaxCallRecvMsgSize(maxSetupBytes))
	if status.Code(err) == codes.Unimplemented {
		return nil
	}
	if err != nil {
		return fmt.Errorf("having its configuration checked: %w", err)
	}
	return violationsOf(reply.GetViolations())
}

// violationsOf are placement.Violations, or nil where there are none.
func violationsOf(wire []*placementv1.Violation) error {
	var violations placement.Violations
	for _, v := range wire[:min(maxViolations, len(wire))] {
		violations = append(violations, placement.Violation{Field: clip(v.GetField()), Message: clip(v.GetMessage())})
	}
	if more := len(wire) - len(violations); more > 0 {
		violations = append(violations, placement.Violation{Message: fmt.Sprintf("%d more", more)})
	}
	if violations != nil {
		return violations
	}
	return nil
}
