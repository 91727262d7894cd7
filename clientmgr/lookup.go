package clientmgr

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// look returns what is known of a cluster. It takes no lock and, where the cluster is known,
// allocates nothing.
func (m *KubevirtClientManager) look(ctx context.Context, config string) (*view, error) {
	if c, found := (*m.clusters.Load())[config]; found {
		return c.view.Load(), nil
	}
	return nil, m.unknown(ctx, config)
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
	v, err := m.look(ctx, kubevirtConfigName)
	if err != nil {
		return nil, err
	}
	if err := v.clientErr(); err != nil {
		return nil, err
	}
	return v.conn.remote, nil
}

// GetOrCreateClientFromMachine implements ClientManager.
func (m *KubevirtClientManager) GetOrCreateClientFromMachine(
	ctx context.Context, machine *vitistackv1alpha1.Machine,
) (client.Client, string, error) {
	ref, err := referenceOf(machine, m.ledgers.parse)
	if err != nil {
		return nil, ref.config, err
	}
	v, err := m.look(ctx, ref.config)
	if err == nil {
		err = v.clientErr()
	}
	if err != nil {
		return nil, ref.config, err
	}
	if err := ref.verify(machine, *v.conn.uid.Load(), m.options.AllowUnverifiedIdentity); err != nil {
		return nil, ref.config, err
	}
	return v.conn.remote, ref.config, nil
}

// Live implements LiveGetter.
func (m *KubevirtClientManager) Live(kubevirtConfigName string) (client.Reader, error) {
	v, err := m.look(context.Background(), kubevirtConfigName) // no I/O: there is nothing to cancel
	if err != nil {
		return nil, err
	}
	if err := v.readErr(); err != nil {
		return nil, err
	}
	return v.conn.live, nil
}

// GetRESTConfigForConfig implements ClientManager. It works while the caches are still syncing, as
// Live does.
func (m *KubevirtClientManager) GetRESTConfigForConfig(
	ctx context.Context, kubevirtConfigName string,
) (*rest.Config, error) {
	v, err := m.look(ctx, kubevirtConfigName)
	if err != nil {
		return nil, err
	}
	if err := v.readErr(); err != nil {
		return nil, err
	}
	return v.conn.restConfig(), nil
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
	v, err := m.look(ctx, kubevirtConfigName)
	if err != nil {
		return err
	}
	if err := v.clientErr(); err != nil {
		return err
	}
	if _, err := v.conn.probe(ctx); err != nil {
		failed := classify(err)
		return &ConnectionError{Config: kubevirtConfigName, Reason: failed.sentinel,
			Message: sentence(kubevirtConfigName, failed.text),
			Since:   m.options.Clock.Now()}
	}
	return nil
}

// HealthCheck implements ClientManager.
func (m *KubevirtClientManager) HealthCheck(ctx context.Context) map[string]error {
	var locked struct {
		sync.Mutex
		unhealthy map[string]error
	}
	locked.unhealthy = map[string]error{}
	var checks sync.WaitGroup
	for config := range *m.clusters.Load() {
		checks.Go(func() {
			if err := m.ValidateConnection(ctx, config); err != nil {
				locked.Lock()
				defer locked.Unlock()
				locked.unhealthy[config] = err
			}
		})
	}
	checks.Wait()
	return locked.unhealthy
}

// InvalidateClient implements ClientManager.
func (m *KubevirtClientManager) InvalidateClient(kubevirtConfigName string) {
	if c, found := (*m.clusters.Load())[kubevirtConfigName]; found {
		c.mail.rebuild()
	}
}

// InvalidateAll implements ClientManager.
func (m *KubevirtClientManager) InvalidateAll() {
	for _, c := range *m.clusters.Load() {
		c.mail.rebuild()
	}
}

// GetSupervisorClient implements ClientManager.
func (m *KubevirtClientManager) GetSupervisorClient() client.Client { return m.supervisor }
