package clientmgr

import (
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// MockClientManager is a RemoteClusters for unit tests: what it hands out is injected, and it
// records who asked.
//
// Its methods are safe for concurrent use. Its fields are plain values: set them before the manager
// is used by others, and read the call records after its users have ended; while they run, inject
// with the Add and Set methods and read with Calls. The Func fields are called without any lock
// held.
//
// Its clients and Live readers translate errors as the real manager's do: a 403 of a fake client
// comes out as a *CallError that is ErrForbidden, an expired context as one that is
// ErrNotConnected.
//
// Where neither a Func nor an error is set, it behaves like the real manager: an unknown name is
// ErrConfigNotFound, a name with a config but no client is ErrNotConnected.
type MockClientManager struct {
	// MockedClients are the remote clients by config name.
	MockedClients map[string]client.Client
	// MockedConfigs are the KubevirtConfigs by name.
	MockedConfigs map[string]*vitistackv1alpha1.KubevirtConfig
	// MockedStates replace the States that are made up from MockedClients and MockedConfigs, by config
	// name.
	MockedStates map[string]State
	// SupervisorClient is what GetSupervisorClient returns.
	SupervisorClient client.Client

	// GetClientForConfigFunc replaces GetClientForConfig, also where GetOrCreateClientFromMachine uses
	// it.
	GetClientForConfigFunc func(ctx context.Context, kubevirtConfigName string) (client.Client, error)
	// GetOrCreateClientFromMachineFunc replaces GetOrCreateClientFromMachine.
	GetOrCreateClientFromMachineFunc func(
		ctx context.Context, machine *vitistackv1alpha1.Machine,
	) (client.Client, string, error)
	// ListKubevirtConfigsFunc replaces ListKubevirtConfigs.
	ListKubevirtConfigsFunc func(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error)
	// GetRESTConfigForConfigFunc replaces GetRESTConfigForConfig; without it there is a config of the
	// name's own, unreachable host.
	GetRESTConfigForConfigFunc func(ctx context.Context, kubevirtConfigName string) (*rest.Config, error)
	// ValidateConnectionFunc replaces ValidateConnection.
	ValidateConnectionFunc func(ctx context.Context, kubevirtConfigName string) error
	// LiveFunc replaces Live; without it, Live reads through the client of MockedClients.
	LiveFunc func(kubevirtConfigName string) (client.Reader, error)

	// GetClientError fails GetClientForConfig, GetOrCreateClientFromMachine, GetRESTConfigForConfig
	// and Live.
	GetClientError error
	// ListConfigsError fails ListKubevirtConfigs.
	ListConfigsError error
	// ValidateConnectionError fails ValidateConnection, and makes every cluster unhealthy.
	ValidateConnectionError error

	// AllowUnverifiedIdentity is Options.AllowUnverifiedIdentity of the real manager.
	AllowUnverifiedIdentity bool

	// GetClientCalls are the names that GetClientForConfig was asked for, in order.
	GetClientCalls []string
	// InvalidateClientCalls are the names that InvalidateClient was called with, in order;
	// InvalidateAll adds each known name.
	InvalidateClientCalls []string
	// ValidateConnectionCalls are the names that ValidateConnection was asked for, in order.
	ValidateConnectionCalls []string
	// GetOrCreateFromMachineCalls counts the calls of GetOrCreateClientFromMachine.
	GetOrCreateFromMachineCalls int

	mu  sync.Mutex // guards the maps, the errors and the call records
	hub clusters.Hub
}

var _ RemoteClusters = (*MockClientManager)(nil)

// MockCalls is a snapshot of what a MockClientManager recorded; its fields are named after the
// mock's.
type MockCalls struct {
	GetClient, InvalidateClient, ValidateConnection []string
	GetOrCreateFromMachine                          int
}

// NewMockClientManager returns a mock that knows no cluster. The zero MockClientManager works as
// well; its maps are made when something is added.
func NewMockClientManager() *MockClientManager {
	m := &MockClientManager{}
	m.makeMaps()
	return m
}

// makeMaps makes the maps that are missing. The caller holds the lock.
func (m *MockClientManager) makeMaps() {
	if m.MockedClients == nil {
		m.MockedClients = map[string]client.Client{}
	}
	if m.MockedConfigs == nil {
		m.MockedConfigs = map[string]*vitistackv1alpha1.KubevirtConfig{}
	}
	if m.MockedStates == nil {
		m.MockedStates = map[string]State{}
	}
}

// AddMockedClient makes remote the client of a config name, and the config known where
// AddMockedConfig did not. A nil remote takes the client away, as a disconnect does.
func (m *MockClientManager) AddMockedClient(kubevirtConfigName string, remote client.Client) {
	m.mu.Lock()
	m.makeMaps()
	if _, found := m.MockedConfigs[kubevirtConfigName]; !found {
		m.MockedConfigs[kubevirtConfigName] = &vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Name: kubevirtConfigName},
		}
	}
	if remote == nil {
		delete(m.MockedClients, kubevirtConfigName)
	} else {
		m.MockedClients[kubevirtConfigName] = remote
	}
	m.mu.Unlock()
	m.hub.StateChanged(kubevirtConfigName)
}

// AddMockedConfig makes a copy of a KubevirtConfig known under its metadata.name.
func (m *MockClientManager) AddMockedConfig(config *vitistackv1alpha1.KubevirtConfig) {
	m.mu.Lock()
	m.makeMaps()
	m.MockedConfigs[config.Name] = config.DeepCopy()
	m.mu.Unlock()
	m.hub.StateChanged(config.Name)
}

// SetState sets what State and States say of state.Config, and tells the Sources.
func (m *MockClientManager) SetState(state State) {
	m.mu.Lock()
	m.makeMaps()
	m.MockedStates[state.Config] = state.Clone()
	m.mu.Unlock()
	m.hub.StateChanged(state.Config)
}

// EmitObject tells the Sources that a remote object changed; it returns after their Object
// functions did.
func (m *MockClientManager) EmitObject(kubevirtConfigName string, object client.Object) {
	m.hub.ObjectChanged(kubevirtConfigName, object)
}

// Calls returns a copy of the call records.
func (m *MockClientManager) Calls() MockCalls {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MockCalls{
		GetClient:              slices.Clone(m.GetClientCalls),
		InvalidateClient:       slices.Clone(m.InvalidateClientCalls),
		ValidateConnection:     slices.Clone(m.ValidateConnectionCalls),
		GetOrCreateFromMachine: m.GetOrCreateFromMachineCalls,
	}
}

// ResetCallTracking forgets all recorded calls.
func (m *MockClientManager) ResetCallTracking() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.GetClientCalls, m.InvalidateClientCalls, m.ValidateConnectionCalls = nil, nil, nil
	m.GetOrCreateFromMachineCalls = 0
}

// known returns what is mocked under a name: its client, or the error that stands for it.
func (m *MockClientManager) known(config string) (client.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.GetClientError != nil {
		return nil, m.GetClientError
	}
	if remote, found := m.MockedClients[config]; found {
		return clusters.Translated(noun, config, remote), nil
	}
	if _, found := m.MockedConfigs[config]; found {
		return nil, &ConnectionError{Config: config, Reason: ErrNotConnected,
			Message: fmt.Sprintf("KubevirtConfig %s: not connected", config)}
	}
	return nil, &ConnectionError{Config: config, Reason: ErrConfigNotFound,
		Message: fmt.Sprintf("KubevirtConfig %s not found", config)}
}

// Source implements EventSource: its events are those of EmitObject, SetState and the Add methods.
func (m *MockClientManager) Source(handler EventHandler) source.Source { return m.hub.Source(handler) }
