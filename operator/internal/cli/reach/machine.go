package reach

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// ErrNoMachine is in the error of Machine where there is none.
var ErrNoMachine = errors.New("not found")

// Subject is the Machine that a command is about.
type Subject struct {
	// Way leads to its supervisor.
	Way Flags
	// Namespace is what --namespace says; "" is the one in the argument, or the context's.
	Namespace string
}

// Add declares the flags.
func (s *Subject) Add(flags *pflag.FlagSet) {
	s.Way.Add(flags)
	flags.StringVarP(&s.Namespace, "namespace", "n", "", "namespace of the Machine (default: the context's)")
}

// Key reads NAME or NAMESPACE/NAME.
func (s *Subject) Key(argument string) (client.ObjectKey, error) {
	namespace, name, both := strings.Cut(argument, "/")
	switch {
	case !both:
		namespace, name = s.Namespace, argument
	case s.Namespace != "" && s.Namespace != namespace:
		return client.ObjectKey{}, fmt.Errorf("%s is not in the namespace %s", argument, s.Namespace)
	}
	if name == "" || both && namespace == "" || strings.Contains(name, "/") {
		return client.ObjectKey{}, fmt.Errorf("%q is not NAME or NAMESPACE/NAME", argument)
	}
	if namespace != "" {
		return client.ObjectKey{Namespace: namespace, Name: name}, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = s.Way.Kubeconfig
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: s.Way.Context})
	namespace, _, err := config.Namespace()
	if clientcmd.IsEmptyConfig(err) {
		namespace, err = metav1.NamespaceDefault, nil // the next step says that there is no kubeconfig
	}
	return client.ObjectKey{Namespace: namespace, Name: name}, err
}

// Open returns the supervisor and the key of the Machine.
func (s *Subject) Open(ctx context.Context, argument string) (*Supervisor, client.ObjectKey, error) {
	key, err := s.Key(argument)
	if err != nil {
		return nil, key, err
	}
	supervisor, err := s.Way.Open(ctx)
	return supervisor, key, err
}

// Machine reads one.
func Machine(ctx context.Context, supervisor client.Reader, key client.ObjectKey) (*vitistackv1alpha1.Machine, error) {
	machine := &vitistackv1alpha1.Machine{}
	err := supervisor.Get(ctx, key, machine)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("%w: there is no Machine %s in namespace %s", ErrNoMachine, key.Name, key.Namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Machine %s: %w", key, err)
	}
	return machine, nil
}

// Place is where a Machine is, by its record. Its error says that there is none.
func Place(machine *vitistackv1alpha1.Machine) (vitistackv1alpha1.Ledger, error) {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		key := client.ObjectKeyFromObject(machine)
		return ledger, fmt.Errorf("machine %s has no place: kubectl machine why %s says why", key, key)
	}
	return ledger, nil
}

// Access says with which kubeconfig a remote cluster is read: the caller's own, or else the one of
// the KubevirtConfig.
type Access struct{ Kubeconfig, Context string }

// Add declares the flags.
func (a *Access) Add(flags *pflag.FlagSet) {
	flags.StringVar(&a.Kubeconfig, "remote-kubeconfig", "",
		"your kubeconfig of the remote cluster (default: the KubevirtConfig's, if you may read it)")
	flags.StringVar(&a.Context, "remote-context", "", "context of the remote cluster (default: the current one)")
}

// Own says whether the caller has given a kubeconfig or a context.
func (a *Access) Own() bool { return a.Kubeconfig != "" || a.Context != "" }

// Open returns a way into a remote cluster.
func (a *Access) Open(
	ctx context.Context, supervisor *Supervisor, config *vitistackv1alpha1.KubevirtConfig,
) (*Cluster, error) {
	if !a.Own() {
		return supervisor.Remote(ctx, config)
	}
	return Open(a.Kubeconfig, a.Context)
}
