package cli

import (
	"context"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// entry is how a command gets into the supervisor: with the operator's flags and environment, or as
// a person does. A person's KubevirtConfigs are looked for where nobody says in which namespace
// they are.
type entry struct {
	options app.Options
	person  *reach.Flags // nil for the operator's own commands
}

// add declares the flags.
func (e *entry) add(flags *pflag.FlagSet) {
	if e.person == nil {
		e.options.AddSessionFlags(flags)
		return
	}
	e.person.Add(flags)
	e.options.AddSupervisorIDFlag(flags)
}

// addKubeconfig declares those of a command that speaks with the supervisor alone.
func (e *entry) addKubeconfig(flags *pflag.FlagSet) {
	if e.person == nil {
		e.options.AddKubeconfigFlag(flags)
		return
	}
	e.person.Add(flags)
}

// open returns the way to the supervisor. It sets in options what a person did not have to say.
func (e *entry) open(ctx context.Context, options *app.Options) (*rest.Config, error) {
	if e.person == nil {
		return app.RestConfig(options.Kubeconfig)
	}
	supervisor, err := e.person.Open(ctx)
	if err != nil {
		return nil, err
	}
	options.Machine.ConfigsNamespace = supervisor.Namespace
	return supervisor.Config, nil
}
