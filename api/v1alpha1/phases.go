package v1alpha1

// MachinePhase sums a Machine's conditions up in one word. Other writers may put words here that
// are not listed.
type MachinePhase string

// The phases of a Machine. An unreachable cluster changes none of them: see ConditionReady.
const (
	// MachinePhasePending means that no VirtualMachine was asked for yet, or that it waits to be
	// started.
	MachinePhasePending MachinePhase = "Pending"
	// MachinePhaseCreating means that the VirtualMachine, its disks or its network are being made.
	MachinePhaseCreating MachinePhase = "Creating"
	// MachinePhaseRunning means that the guest runs.
	MachinePhaseRunning MachinePhase = "Running"
	// MachinePhaseStopping means that the guest is shutting down.
	MachinePhaseStopping MachinePhase = "Stopping"
	// MachinePhaseStopped means that the VirtualMachine exists and does not run.
	MachinePhaseStopped MachinePhase = "Stopped"
	// MachinePhaseTerminating means that the Machine is being deleted.
	MachinePhaseTerminating MachinePhase = "Terminating"
	// MachinePhaseTerminated means that the VirtualMachine is gone and the Machine is about to go.
	MachinePhaseTerminated MachinePhase = "Terminated"
	// MachinePhaseFailed means that nothing will change until a person acts.
	MachinePhaseFailed MachinePhase = "Failed"
)

// KubevirtConfigPhase sums a KubevirtConfig's conditions up in one word.
type KubevirtConfigPhase string

// The phases of a KubevirtConfig.
const (
	// KubevirtConfigPhasePending means that there is no verdict about the cluster yet.
	KubevirtConfigPhasePending KubevirtConfigPhase = "Pending"
	// KubevirtConfigPhaseReady means that the cluster can be used.
	KubevirtConfigPhaseReady KubevirtConfigPhase = "Ready"
	// KubevirtConfigPhaseDegraded means that the cluster cannot be used, or not fully, and that this
	// may pass.
	KubevirtConfigPhaseDegraded KubevirtConfigPhase = "Degraded"
	// KubevirtConfigPhaseFailed means that nothing will change until a person acts.
	KubevirtConfigPhaseFailed KubevirtConfigPhase = "Failed"
)

// ConnectionState is the state of the connection to a remote cluster.
type ConnectionState string

// The states of a connection.
const (
	// ConnectionStateDisconnected means that there is no contact.
	ConnectionStateDisconnected ConnectionState = "Disconnected"
	// ConnectionStateConnecting means that contact is being made.
	ConnectionStateConnecting ConnectionState = "Connecting"
	// ConnectionStateConnected means that there is contact and that every watch is up to date.
	ConnectionStateConnected ConnectionState = "Connected"
	// ConnectionStateDegraded means that probes or watches have begun to fail.
	ConnectionStateDegraded ConnectionState = "Degraded"
	// ConnectionStateStopped means that no contact is sought until a person acts: wrong cluster, or
	// unusable kubeconfig.
	ConnectionStateStopped ConnectionState = "Stopped"
)
