package placement

import (
	"fmt"
	"slices"
	"strings"
)

// A Request is one question: where does this Machine go?
type Request struct {
	// Machine is the Machine that needs a place.
	Machine Machine
	// Candidates are all KubevirtConfigs that exist, healthy or not, sorted by name and without
	// duplicates.
	Candidates []Candidate
	// Default is the host's DEFAULT_KUBEVIRT_CONFIG; "" means that none is set.
	Default string
	// ConfigNamespace is where the KubevirtConfigs were looked for, "" where they are
	// cluster-scoped. It is for messages.
	ConfigNamespace string
}

// A Machine holds what a strategy may know of a Machine: facts that concern placement, and no
// secret.
type Machine struct {
	// Namespace and Name say which Machine it is in the supervisor cluster; UID which one of that
	// name.
	Namespace, Name, UID string
	// Labels are the Machine's labels.
	Labels map[string]string
	// Annotations are the Machine's annotations whose names begin with placement.vitistack.io/. The
	// host shows a strategy no others.
	Annotations map[string]string
	// Reference is the cluster that the Machine's author asks for.
	Reference Reference
	// InstanceType is the Machine's class by name; "" means that none is given.
	InstanceType string
	// Requests is the size that the VirtualMachine will have.
	Requests Resources
}

// A Reference is an explicit wish for one KubevirtConfig. There are two places to write it down;
// both may be empty.
type Reference struct {
	// Field is spec.kubevirtConfigRef.name.
	Field string
	// Annotation is the value of [ConfigAnnotation], verbatim.
	Annotation string
}

// ConfigAnnotation is the Machine's annotation that names a KubevirtConfig (docs/specification.md,
// "Machine Configuration").
const ConfigAnnotation = "vitistack.io/kubevirt-config"

// Resources are amounts of CPU and memory. Nil means unknown, which is not zero.
type Resources struct {
	MilliCPU    *int64 // thousandths of a CPU
	MemoryBytes *int64
}

// String is "namespace/name".
func (m Machine) String() string { return m.Namespace + "/" + m.Name }

// Candidate returns the candidate of that name.
func (r Request) Candidate(name string) (c Candidate, found bool) {
	for _, c := range r.Candidates {
		if c.Name == name {
			return c, true
		}
	}
	return Candidate{}, false
}

// unasked reports whether nobody has looked for the VirtualMachine in some cluster.
func (r Request) unasked() bool {
	return slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.VM.Presence == NotAsked })
}

// where is " in namespace X", or "" for cluster-scoped configs.
func (r Request) where() string {
	if r.ConfigNamespace == "" {
		return ""
	}
	return " in namespace " + r.ConfigNamespace
}

// normalized returns the request with its candidates sorted. It fails on nameless and duplicate
// candidates.
func (r Request) normalized() (Request, error) {
	byName := func(a, b Candidate) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(r.Candidates, byName) {
		r.Candidates = slices.SortedStableFunc(slices.Values(r.Candidates), byName)
	}
	for i, c := range r.Candidates {
		if c.Name == "" {
			return r, fmt.Errorf("placing machine %s: a candidate has no name", r.Machine)
		}
		if i > 0 && r.Candidates[i-1].Name == c.Name {
			return r, fmt.Errorf("placing machine %s: candidate %q is listed twice", r.Machine, c.Name)
		}
	}
	return r, nil
}
