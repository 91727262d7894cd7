package clientmgr

import (
	"context"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// GetClientForConfig implements ClientManager.
func (m *MockClientManager) GetClientForConfig(ctx context.Context, kubevirtConfigName string) (client.Client, error) {
	m.mu.Lock()
	m.GetClientCalls = append(m.GetClientCalls, kubevirtConfigName)
	m.mu.Unlock()
	return m.client(ctx, kubevirtConfigName)
}

func (m *MockClientManager) client(ctx context.Context, config string) (client.Client, error) {
	if m.GetClientForConfigFunc != nil {
		return m.GetClientForConfigFunc(ctx, config)
	}
	return m.known(config)
}

// GetOrCreateClientFromMachine implements ClientManager. The machine's reference is read as the
// real manager reads it, and its ledger's clusterUID is compared with the State's ClusterUID
// likewise.
func (m *MockClientManager) GetOrCreateClientFromMachine(
	ctx context.Context, machine *vitistackv1alpha1.Machine,
) (client.Client, string, error) {
	m.mu.Lock()
	m.GetOrCreateFromMachineCalls++
	m.mu.Unlock()
	if m.GetOrCreateClientFromMachineFunc != nil {
		return m.GetOrCreateClientFromMachineFunc(ctx, machine)
	}
	ref, err := referenceOf(machine, vitistackv1alpha1.ParseLedger)
	if err != nil {
		return nil, ref.config, err
	}
	remote, err := m.client(ctx, ref.config)
	if err != nil {
		return nil, ref.config, err
	}
	state, _ := m.State(ref.config)
	if err := ref.verify(machine, state.ClusterUID, m.AllowUnverifiedIdentity); err != nil {
		return nil, ref.config, err
	}
	return remote, ref.config, nil
}

// ListKubevirtConfigs implements ClientManager.
func (m *MockClientManager) ListKubevirtConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	if m.ListKubevirtConfigsFunc != nil {
		return m.ListKubevirtConfigsFunc(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ListConfigsError != nil {
		return nil, m.ListConfigsError
	}
	configs := make([]vitistackv1alpha1.KubevirtConfig, 0, len(m.MockedConfigs))
	for _, name := range slices.Sorted(maps.Keys(m.MockedConfigs)) {
		configs = append(configs, *m.MockedConfigs[name].DeepCopy())
	}
	return configs, nil
}

// GetRESTConfigForConfig implements ClientManager.
func (m *MockClientManager) GetRESTConfigForConfig(
	ctx context.Context, kubevirtConfigName string,
) (*rest.Config, error) {
	if m.GetRESTConfigForConfigFunc != nil {
		return m.GetRESTConfigForConfigFunc(ctx, kubevirtConfigName)
	}
	if _, err := m.known(kubevirtConfigName); err != nil {
		return nil, err
	}
	return &rest.Config{Host: fmt.Sprintf("https://%s.invalid", kubevirtConfigName)}, nil
}

// ValidateConnection implements ClientManager.
func (m *MockClientManager) ValidateConnection(ctx context.Context, kubevirtConfigName string) error {
	m.mu.Lock()
	m.ValidateConnectionCalls = append(m.ValidateConnectionCalls, kubevirtConfigName)
	failure := m.ValidateConnectionError
	m.mu.Unlock()
	if m.ValidateConnectionFunc != nil {
		return m.ValidateConnectionFunc(ctx, kubevirtConfigName)
	}
	if failure != nil {
		return failure
	}
	_, err := m.known(kubevirtConfigName)
	return err
}

// HealthCheck implements ClientManager by ValidateConnection of every known config.
func (m *MockClientManager) HealthCheck(ctx context.Context) map[string]error {
	unhealthy := map[string]error{}
	for _, config := range m.names() {
		if err := m.ValidateConnection(ctx, config); err != nil {
			unhealthy[config] = err
		}
	}
	return unhealthy
}

// InvalidateClient implements ClientManager: it records the call.
func (m *MockClientManager) InvalidateClient(kubevirtConfigName string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.InvalidateClientCalls = append(m.InvalidateClientCalls, kubevirtConfigName)
}

// InvalidateAll implements ClientManager: it records a call for each known config, sorted.
func (m *MockClientManager) InvalidateAll() {
	for _, config := range m.names() {
		m.InvalidateClient(config)
	}
}

// GetSupervisorClient implements ClientManager.
func (m *MockClientManager) GetSupervisorClient() client.Client { return m.SupervisorClient }

// Live implements LiveGetter.
func (m *MockClientManager) Live(kubevirtConfigName string) (client.Reader, error) {
	if m.LiveFunc != nil {
		return m.LiveFunc(kubevirtConfigName)
	}
	return m.known(kubevirtConfigName)
}

// States implements StateReporter.
func (m *MockClientManager) States() []State {
	names := m.names()
	states := make([]State, 0, len(names))
	for _, name := range names {
		if state, found := m.State(name); found {
			states = append(states, state)
		}
	}
	return states
}

// State implements StateReporter: MockedStates first; otherwise Connected with the name as its
// ClusterUID where there is a client, Disconnected where there is only a config.
func (m *MockClientManager) State(kubevirtConfigName string) (State, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state, found := m.MockedStates[kubevirtConfigName]; found {
		return state.Clone(), true
	}
	var configUID types.UID
	if config := m.MockedConfigs[kubevirtConfigName]; config != nil {
		configUID = config.UID
	}
	if _, found := m.MockedClients[kubevirtConfigName]; found {
		return State{
			ConfigUID: configUID,
			Config:    kubevirtConfigName, Phase: Connected, Reason: ReasonConnected, Message: "connected",
			ClusterUID: kubevirtConfigName, RememberedUID: kubevirtConfigName, IdentityVerified: metav1.ConditionTrue,
			RightsChecked: true,
		}, true
	}
	if _, found := m.MockedConfigs[kubevirtConfigName]; found {
		return State{
			ConfigUID: configUID,
			Config:    kubevirtConfigName, Phase: Disconnected, Reason: ReasonUnreachable, Message: "not connected",
			IdentityVerified: metav1.ConditionUnknown,
		}, true
	}
	return State{}, false
}

// names returns every name that is mocked in some way, sorted.
func (m *MockClientManager) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]struct{}{}
	for name := range m.MockedConfigs {
		all[name] = struct{}{}
	}
	for name := range m.MockedClients {
		all[name] = struct{}{}
	}
	for name := range m.MockedStates {
		all[name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(all))
}
