package compatibility

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// namedFindings is how many findings a message names: releases that are far apart differ in
// hundreds.
const namedFindings = 5

// Answer is what a check of one cluster found.
type Answer struct {
	// Answered says that the cluster's definitions could be read. Without it only Message is set.
	Answered bool
	// Compatible says that the cluster has every definition, version and field that the operator
	// uses.
	Compatible bool
	// Message is a sentence for people that stays the same while the findings do.
	Message string
	// Findings counts what is missing, and what differs from the first cluster by name in fields
	// that the operator uses.
	Findings int
	// Definitions says the same for each definition that the operator uses, sorted by name. Empty
	// where Answered is false.
	Definitions []Definition
}

// Definition is what a check found about one CustomResourceDefinition.
type Definition struct {
	// CRD is the definition's name, Baseline the KubevirtConfig of the first cluster by name that
	// has it, "" where none has.
	CRD, Baseline string
	// Findings are what the cluster lacks, else what differs from the baseline. Without any the
	// definition is as it should be.
	Findings []crdcheck.Finding
}

// Checker checks remote clusters. It remembers each one's definitions, those that are equal once,
// so that a cluster in which nothing has changed costs one request. It is safe for concurrent use,
// but for two checks of one cluster at once.
type Checker struct {
	usage crdcheck.Usage
	names []string
	cache crdcheck.Cache

	locked struct {
		sync.Mutex
		observers map[string]*observe.Observer
		snapshots map[string]crdcheck.Snapshot
	}
}

// New returns a checker of what the operator uses.
func New() (*Checker, error) {
	usage, err := Usage()
	if err != nil {
		return nil, err
	}
	c := &Checker{usage: usage}
	for _, kind := range usage.Kinds {
		c.names = append(c.names, kind.CRD)
	}
	c.locked.observers, c.locked.snapshots = map[string]*observe.Observer{}, map[string]crdcheck.Snapshot{}
	return c, nil
}

// Check asks a cluster, by the name of its KubevirtConfig, through a client that asks the cluster
// itself.
func (c *Checker) Check(ctx context.Context, kubevirtConfigName string, live client.Reader) Answer {
	snapshot := c.observer(kubevirtConfigName).Observe(ctx, reader{live}, c.names)
	snapshots := c.remember(snapshot)
	required := crdcheck.Require(snapshot, c.usage.Requirements())
	for _, f := range required.Findings {
		if f.Rule == crdcheck.RuleClusterUnknown {
			return Answer{Message: "the definitions of kubevirt.io could not be read"} // the error may quote an address
		}
	}
	fleet := crdcheck.FleetWith(snapshots, crdcheck.Options{Usage: &c.usage})
	return answerOf(kubevirtConfigName, required, fleet)
}

// answerOf sums up what a cluster lacks, and how it differs from the first cluster.
func answerOf(config string, required, fleet crdcheck.Report) Answer {
	answer := Answer{Answered: true, Definitions: definitions(config, required, fleet)}
	var lacking, differing []string
	baseline := ""
	for _, each := range answer.Definitions {
		for _, f := range each.Findings {
			text := f.CRD + ": " + render.Sentence(f)
			switch {
			case lacks(f):
				lacking = append(lacking, text)
			case f.Path != "":
				differing, baseline = append(differing, text), each.Baseline
			}
		}
	}
	answer.Compatible, answer.Findings = len(lacking) == 0, len(lacking)+len(differing)
	switch {
	case !answer.Compatible:
		answer.Message = "the cluster lacks what the operator uses: " + sentence(lacking)
	case len(differing) > 0:
		answer.Message = fmt.Sprintf("every field that the operator uses is there; some differ from %s: %s",
			baseline, sentence(differing))
	default:
		answer.Message = "every field that the operator uses is there"
	}
	return answer
}

// lacks reports whether a finding is about the cluster alone: it is one of crdcheck.Require.
func lacks(f crdcheck.Finding) bool {
	switch f.Rule {
	case crdcheck.RuleCRDMissing, crdcheck.RuleVersionNotServed, crdcheck.RuleFieldMissing:
		return f.Severity() == crdcheck.Error
	default:
		return false
	}
}

// definitions are what was found about each definition, sorted by name.
func definitions(config string, required, fleet crdcheck.Report) []Definition {
	var all []Definition
	for _, subject := range fleet.Subjects {
		if subject.Cluster != config {
			continue
		}
		each := Definition{CRD: subject.CRD, Baseline: subject.Baseline}
		lacking := map[string]bool{} // paths; "" where it lacks the whole definition
		for _, f := range required.Findings {
			if f.CRD == subject.CRD && f.Severity() == crdcheck.Error {
				each.Findings = append(each.Findings, f)
				lacking[f.Path] = true
			}
		}
		for _, f := range fleet.About(subject) { // what it lacks is not told once more as a difference
			if f.Severity() > crdcheck.Info && !lacking[""] && !lacking[f.Path] {
				each.Findings = append(each.Findings, f)
			}
		}
		all = append(all, each)
	}
	return all
}

// Forget drops what is remembered of a cluster.
func (c *Checker) Forget(kubevirtConfigName string) {
	c.locked.Lock()
	defer c.locked.Unlock()
	delete(c.locked.observers, kubevirtConfigName)
	delete(c.locked.snapshots, kubevirtConfigName)
}

func (c *Checker) observer(name string) *observe.Observer {
	c.locked.Lock()
	defer c.locked.Unlock()
	o := c.locked.observers[name]
	if o == nil {
		o = observe.New(name, &c.cache)
		c.locked.observers[name] = o
	}
	return o
}

// remember keeps a snapshot and returns the last ones of all clusters.
func (c *Checker) remember(s crdcheck.Snapshot) []crdcheck.Snapshot {
	c.locked.Lock()
	defer c.locked.Unlock()
	c.locked.snapshots[s.Cluster()] = s
	all := make([]crdcheck.Snapshot, 0, len(c.locked.snapshots))
	for _, snapshot := range c.locked.snapshots {
		all = append(all, snapshot)
	}
	return all
}

// sentence names some of what was found, sorted.
func sentence(found []string) string {
	found = slices.Sorted(slices.Values(found))
	named := found[:min(namedFindings, len(found))]
	if more := len(found) - len(named); more > 0 {
		named = append(slices.Clone(named), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(named, "; ")
}
