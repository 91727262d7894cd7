package reach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// The variable that says where KubevirtConfigs are, as the operator reads it; the namespace of the
// manifests in deploy/; and the operator's default.
const (
	configsVariable  = "KUBEVIRT_CONFIGS_NAMESPACE"
	deployedConfigs  = "kubevirt-configs"
	operatorsDefault = "default"
)

// Flags say where the supervisor is.
type Flags struct {
	// Kubeconfig and Context choose it as kubectl does; "" is kubectl's default.
	Kubeconfig, Context string
	// ConfigsNamespace is where the KubevirtConfigs are. "" is KUBEVIRT_CONFIGS_NAMESPACE, and then
	// the one namespace that has some.
	ConfigsNamespace string
}

// Add declares the flags for commands that speak with the supervisor first.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Kubeconfig, "kubeconfig", "", "kubeconfig of the supervisor (default: as kubectl)")
	flags.StringVar(&f.Context, "context", "", "context of the supervisor (default: the current one)")
	f.addConfigs(flags)
}

// AddBeside declares them for commands whose --kubeconfig and --context are a remote cluster's.
func (f *Flags) AddBeside(flags *pflag.FlagSet) {
	flags.StringVar(&f.Kubeconfig, "supervisor-kubeconfig", "", "kubeconfig of the supervisor (default: as kubectl)")
	flags.StringVar(&f.Context, "supervisor-context", "", "context of the supervisor (default: the current one)")
	f.addConfigs(flags)
}

func (f *Flags) addConfigs(flags *pflag.FlagSet) {
	flags.StringVar(&f.ConfigsNamespace, "configs-namespace", "",
		"namespace of the KubevirtConfigs (default: "+configsVariable+", then the one that has them)")
}

// Supervisor is the cluster with the Machines.
type Supervisor struct {
	*Cluster
	// Namespace is where the KubevirtConfigs' Secrets are, and the KubevirtConfigs where they are
	// Namespaced; with the public definition they are cluster-scoped.
	Namespace  string
	Namespaced bool
}

// Open returns a way into the supervisor.
func (f *Flags) Open(ctx context.Context) (*Supervisor, error) {
	cluster, err := Open(f.Kubeconfig, f.Context)
	if err != nil {
		return nil, err
	}
	s := &Supervisor{Cluster: cluster}
	s.Namespaced, err = cluster.IsObjectNamespaced(&vitistackv1alpha1.KubevirtConfig{})
	if meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("%s is no supervisor: it has no definition of KubevirtConfig; choose another context, "+
			"or install the operator there first", cluster.Config.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the supervisor: %w", err)
	}
	if s.Namespace = cmp.Or(f.ConfigsNamespace, os.Getenv(configsVariable)); s.Namespace == "" {
		s.Namespace, err = s.find(ctx)
	}
	return s, err
}

// find looks for the namespace of the KubevirtConfigs, where nobody has said which it is.
func (s *Supervisor) find(ctx context.Context) (string, error) {
	counts, err := count(ctx, s.Client)
	switch {
	case apierrors.IsForbidden(err):
		return operatorsDefault, nil // and then it is told that there are none
	case err != nil:
		return "", err
	case len(counts) > 1:
		return "", fmt.Errorf("there are KubevirtConfigs in the namespaces %s: say with --configs-namespace or %s "+
			"which are the operator's", names(counts), configsVariable)
	case len(counts) == 1:
		for namespace := range counts {
			return cmp.Or(namespace, s.deployed(ctx)), nil
		}
	}
	return s.deployed(ctx), nil
}

// deployed is the namespace that deploy/ makes, where it is there.
func (s *Supervisor) deployed(ctx context.Context) string {
	if s.Get(ctx, client.ObjectKey{Name: deployedConfigs}, &corev1.Namespace{}) == nil {
		return deployedConfigs
	}
	return operatorsDefault
}

// count counts the KubevirtConfigs by namespace; "" is for cluster-scoped ones.
func count(ctx context.Context, supervisor client.Reader) (map[string]int, error) {
	list := &vitistackv1alpha1.KubevirtConfigList{}
	if err := supervisor.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	counts := map[string]int{}
	for i := range list.Items {
		counts[list.Items[i].Namespace]++
	}
	return counts, nil
}

// NoConfigs is the error of a command that found no KubevirtConfig in a namespace: it says where
// there are some.
func NoConfigs(ctx context.Context, supervisor client.Reader, namespace string) error {
	text := fmt.Sprintf("there is no KubevirtConfig in the namespace %s (%s)", namespace, configsVariable)
	counts, err := count(ctx, supervisor)
	switch {
	case err != nil:
		return fmt.Errorf("%s, and whether there are some elsewhere is not known: %w", text, err)
	case len(counts) == 0:
		return errors.New(text + ", nor in any other: add a cluster with kubectl machine cluster add")
	}
	return fmt.Errorf("%s; there are some in %s", text, names(counts))
}

func names(counts map[string]int) string {
	return strings.Join(slices.Sorted(maps.Keys(counts)), ", ")
}

// Configs returns the KubevirtConfigs, sorted by name. Without one the error says where there are
// some.
func (s *Supervisor) Configs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	all, err := s.Known(ctx)
	if err == nil && len(all) == 0 {
		err = NoConfigs(ctx, s.Client, s.Namespace)
	}
	return all, err
}

// Known returns the KubevirtConfigs, sorted by name, of which there may be none yet.
func (s *Supervisor) Known(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	list := &vitistackv1alpha1.KubevirtConfigList{}
	if err := s.List(ctx, list, client.InNamespace(s.home())); err != nil {
		return nil, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b vitistackv1alpha1.KubevirtConfig) int { return strings.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// home is the namespace of KubevirtConfigs, "" where they have none.
func (s *Supervisor) home() string {
	if s.Namespaced {
		return s.Namespace
	}
	return ""
}

// Key is the key of a KubevirtConfig.
func (s *Supervisor) Key(config string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.home(), Name: config}
}

// KubevirtConfig returns one. Its error names those that there are.
func (s *Supervisor) KubevirtConfig(ctx context.Context, name string) (*vitistackv1alpha1.KubevirtConfig, error) {
	config := &vitistackv1alpha1.KubevirtConfig{}
	err := s.Get(ctx, s.Key(name), config)
	if apierrors.IsNotFound(err) {
		all, failed := s.Configs(ctx)
		if failed != nil {
			return nil, failed
		}
		var known []string
		for i := range all {
			known = append(known, all[i].Name)
		}
		return nil, fmt.Errorf("there is no cluster %s; there are %s", name, strings.Join(known, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("reading KubevirtConfig %s: %w", name, err)
	}
	return config, nil
}

// Kubeconfig reads the kubeconfig of a KubevirtConfig, with the Secret that has it.
func (s *Supervisor) Kubeconfig(
	ctx context.Context, config *vitistackv1alpha1.KubevirtConfig,
) (*corev1.Secret, []byte, error) {
	secret := &corev1.Secret{}
	namespace, name := config.KubeconfigSecret()
	key := client.ObjectKey{Namespace: cmp.Or(namespace, s.Namespace), Name: name}
	if err := s.Get(ctx, key, secret); err != nil {
		return nil, nil, fmt.Errorf("reading the kubeconfig of cluster %s (Secret %s): %w", config.Name, key, err)
	}
	content := secret.Data[vitistackv1alpha1.KubeconfigSecretKey]
	if len(content) == 0 {
		return secret, nil, fmt.Errorf("the Secret %s of cluster %s has no key %s", key, config.Name,
			vitistackv1alpha1.KubeconfigSecretKey)
	}
	return secret, content, nil
}

// Remote returns a way into a remote cluster by the kubeconfig of its KubevirtConfig, if who calls
// may read that.
func (s *Supervisor) Remote(ctx context.Context, config *vitistackv1alpha1.KubevirtConfig) (*Cluster, error) {
	_, content, err := s.Kubeconfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return FromSecret(content)
}
