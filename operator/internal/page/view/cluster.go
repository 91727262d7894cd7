package view

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Cluster is a row about a KubevirtConfig.
type Cluster struct {
	Name string `json:"name"`
	// Phase sums the conditions up, Connection is the state of the connection: both words of the
	// KubevirtConfig's status.
	Phase      string `json:"phase"`
	Connection string `json:"connection"`
	// Reason and Message are those of the condition Connected, Since is when its status last changed.
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// DisconnectedSince is when contact was lost, zero while there is contact.
	DisconnectedSince time.Time `json:"disconnectedSince,omitzero"`
	Paused            bool      `json:"paused,omitempty"`
	Deleting          bool      `json:"deleting,omitempty"`
	Kubernetes        string    `json:"kubernetes,omitempty"`
	KubeVirt          string    `json:"kubevirt,omitempty"`
	Vitals            Vitals    `json:"vitals,omitzero"`
	// Machines counts those that are shown, by phase: see Fleet.Complete.
	Machines map[string]int `json:"machines,omitempty"`
	Findings []Finding      `json:"findings,omitempty"`
	Passings []Passing      `json:"passings,omitempty"`
	Created  time.Time      `json:"created,omitzero"`
}

// Vitals are what this process measured of a cluster. What it did not measure is absent.
type Vitals struct {
	// LatencyMillis is how long the last answered probe took.
	LatencyMillis *float64 `json:"latencyMillis,omitempty"`
	// Room is what is free in the cluster.
	Room *Room `json:"room,omitempty"`
	// NoRoom says why Room is not known, "" where it is or where nobody asked.
	NoRoom string `json:"noRoom,omitempty"`
}

// Room is what the scheduler of a cluster has left, at a time.
type Room struct {
	MilliCPU    int64     `json:"milliCPU"`
	MemoryBytes int64     `json:"memoryBytes"`
	At          time.Time `json:"at"`
}

// ClusterOf makes the row of a KubevirtConfig, which it does not change.
func ClusterOf(config *vitistackv1alpha1.KubevirtConfig, vitals Vitals) Cluster {
	status := &config.Status
	connected := condition(status.Conditions, vitistackv1alpha1.ConditionConnected)
	row := Cluster{
		Name: config.Name, Phase: cut(string(status.Phase)), Connection: cut(string(status.Status)),
		Reason: cut(connected.Reason), Message: cut(status.Message), Since: utc(connected.LastTransitionTime),
		DisconnectedSince: timeOf(status.DisconnectedSince),
		Paused:            config.Spec.Paused, Deleting: !config.DeletionTimestamp.IsZero(),
		Kubernetes: cut(status.Versions.Kubernetes), KubeVirt: cut(status.Versions.KubeVirt),
		Vitals: vitals, Findings: findings(status.Conditions), Passings: passings(status.Conditions),
		Created: utc(config.CreationTimestamp),
	}
	if row.Phase == "" {
		row.Phase = string(vitistackv1alpha1.KubevirtConfigPhasePending)
	}
	return row
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return utc(*t)
}
