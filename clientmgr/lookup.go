package clientmgr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// get returns a connected cluster.
func (m *KubevirtClientManager) get(ctx context.Context, config string) (clusters.Cluster, error) {
	c, err := m.clusters.Get(config)
	return c, m.explained(ctx, config, err)
}

// explained says why a config is not known, where that is the error.
func (m *KubevirtClientManager) explained(ctx context.Context, config string, err error) error {
	if err == nil || !errors.Is(err, clusters.ErrUnknown) {
		return err
	}
	return m.unknown(ctx, config)
}

// unknown says why a config is not known: only what the synced cache does not hold is absent.
func (m *KubevirtClientManager) unknown(ctx context.Context, config string) error {
	if !m.synced.Load() {
		return &ConnectionError{Config: config, Reason: ErrSupervisorNotSynced,
			Message: sentence(config, "the supervisor's caches have not synced yet")}
	}
	var object vitistackv1alpha1.KubevirtConfig
	if err := m.cache.Get(ctx, m.key(config), &object); err == nil || !apierrors.IsNotFound(err) {
		return &ConnectionError{Config: config, Reason: ErrNotConnected, Message: sentence(config, "connecting")}
	}
	text := fmt.Sprintf("KubevirtConfig %s not found", config)
	if m.namespaced() {
		text += " in namespace " + m.options.ConfigsNamespace
	}
	return &ConnectionError{Config: config, Reason: ErrConfigNotFound, Message: text}
}

// GetClientForConfig implements ClientManager.
func (m *KubevirtClientManager) GetClientForConfig(
	ctx context.Context, kubevirtConfigName string,
) (client.Client, error) {
	c, err := m.get(ctx, kubevirtConfigName)
	if err != nil {
		return nil, err
	}
	return c.Client(), nil
}

// GetOrCreateClientFromMachine implements ClientManager.
func (m *KubevirtClientManager) GetOrCreateClientFromMachine(
	ctx context.Context, machine *vitistackv1alpha1.Machine,
) (client.Client, string, error) {
	ref, err := referenceOf(machine, m.ledgers.parse)
	if err != nil {
		return nil, ref.config, err
	}
	c, err := m.get(ctx, ref.config)
	if err != nil {
		return nil, ref.config, err
	}
	if err := ref.verify(machine, c.UID(), m.options.AllowUnverifiedIdentity); err != nil {
		return nil, ref.config, err
	}
	return c.Client(), ref.config, nil
}

// Live implements LiveGetter.
func (m *KubevirtClientManager) Live(kubevirtConfigName string) (client.Reader, error) {
	live, err := m.clusters.Live(kubevirtConfigName)
	return live, m.explained(context.Background(), kubevirtConfigName, err) // no I/O: there is nothing to cancel
}

// GetRESTConfigForConfig implements ClientManager. It works while the caches are still syncing, as
// Live does.
func (m *KubevirtClientManager) GetRESTConfigForConfig(
	ctx context.Context, kubevirtConfigName string,
) (*rest.Config, error) {
	config, err := m.clusters.RESTConfig(kubevirtConfigName)
	return config, m.explained(ctx, kubevirtConfigName, err)
}

// ListKubevirtConfigs implements ClientManager.
func (m *KubevirtClientManager) ListKubevirtConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	if !m.synced.Load() {
		return nil, &ConnectionError{Reason: ErrSupervisorNotSynced,
			Message: "listing KubevirtConfigs: the supervisor's caches have not synced yet"}
	}
	var list vitistackv1alpha1.KubevirtConfigList
	if err := m.cache.List(ctx, &list, client.InNamespace(m.namespace())); err != nil {
		return nil, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b vitistackv1alpha1.KubevirtConfig) int { return strings.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// ValidateConnection implements ClientManager.
func (m *KubevirtClientManager) ValidateConnection(ctx context.Context, kubevirtConfigName string) error {
	return m.explained(ctx, kubevirtConfigName, m.clusters.Validate(ctx, kubevirtConfigName))
}

// HealthCheck implements ClientManager.
func (m *KubevirtClientManager) HealthCheck(ctx context.Context) map[string]error {
	return m.clusters.HealthCheck(ctx)
}

// InvalidateClient implements ClientManager.
func (m *KubevirtClientManager) InvalidateClient(kubevirtConfigName string) {
	m.clusters.Invalidate(kubevirtConfigName)
}

// InvalidateAll implements ClientManager.
func (m *KubevirtClientManager) InvalidateAll() { m.clusters.InvalidateAll() }

// GetSupervisorClient implements ClientManager.
func (m *KubevirtClientManager) GetSupervisorClient() client.Client { return m.supervisor }
