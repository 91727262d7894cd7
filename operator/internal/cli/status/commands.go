package status

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// Commands are the commands about Machines.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		listCommand(), statusCommand(), whereCommand(), startCommand(), stopCommand(),
	}
}

// subject is the Machine that a command is about.
type subject struct {
	way       reach.Flags
	namespace string
}

func (s *subject) add(flags *pflag.FlagSet) {
	s.way.Add(flags)
	flags.StringVarP(&s.namespace, "namespace", "n", "", "namespace of the Machine (default: the context's)")
}

// key reads NAME or NAMESPACE/NAME.
func (s *subject) key(argument string) (client.ObjectKey, error) {
	namespace, name, both := strings.Cut(argument, "/")
	switch {
	case !both:
		namespace, name = s.namespace, argument
	case s.namespace != "" && s.namespace != namespace:
		return client.ObjectKey{}, fmt.Errorf("%s is not in the namespace %s", argument, s.namespace)
	}
	if name == "" || both && namespace == "" || strings.Contains(name, "/") {
		return client.ObjectKey{}, fmt.Errorf("%q is not NAME or NAMESPACE/NAME", argument)
	}
	if namespace != "" {
		return client.ObjectKey{Namespace: namespace, Name: name}, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = s.way.Kubeconfig
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: s.way.Context})
	namespace, _, err := config.Namespace()
	if clientcmd.IsEmptyConfig(err) {
		namespace, err = metav1.NamespaceDefault, nil // the next step says that there is no kubeconfig
	}
	return client.ObjectKey{Namespace: namespace, Name: name}, err
}

// open returns the supervisor and the key of the Machine.
func (s *subject) open(ctx context.Context, argument string) (*reach.Supervisor, client.ObjectKey, error) {
	key, err := s.key(argument)
	if err != nil {
		return nil, key, err
	}
	supervisor, err := s.way.Open(ctx)
	return supervisor, key, err
}

// read returns the Machine.
func read(ctx context.Context, supervisor client.Reader, key client.ObjectKey) (*vitistackv1alpha1.Machine, error) {
	machine := &vitistackv1alpha1.Machine{}
	err := supervisor.Get(ctx, key, machine)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("%w: there is no Machine %s in namespace %s", errNoMachine, key.Name, key.Namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Machine %s: %w", key, err)
	}
	return machine, nil
}

var errNoMachine = errors.New("not found")

// clusterOf is the cluster that a Machine is placed in, "" where it has no place.
func clusterOf(machine *vitistackv1alpha1.Machine) string {
	if ledger, err := vitistackv1alpha1.LedgerOf(machine); err == nil {
		return ledger.Config
	}
	if ref := machine.Status.KubevirtConfigRef; ref != nil {
		return ref.Name
	}
	return ""
}
