package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// MaxNamespaces is the number of namespaces that are asked for one by one for one person.
	MaxNamespaces = 500
	// sideBySide is the number of those questions at once.
	sideBySide = 8
)

// Viewer is what one person may see, as it was asked. It is not safe for concurrent use.
type Viewer struct {
	// Name is the person's, as the supervisor knows it.
	Name string
	// AllMachines says that the person may list Machines in all namespaces, Clusters that he may list
	// KubevirtConfigs.
	AllMachines, Clusters bool
	// NotChecked is the number of namespaces that were left out, beyond MaxNamespaces.
	NotChecked int

	who        user.Info
	gate       *Gate
	namespaces map[string]bool // whether he may list Machines there
}

// Viewer asks what somebody may see. Its error is ErrNoAnswer.
func (g *Gate) Viewer(ctx context.Context, who user.Info) (*Viewer, error) {
	v := &Viewer{Name: who.GetName(), who: who, gate: g, namespaces: map[string]bool{}}
	var err error
	if v.AllMachines, err = g.mayList(ctx, who, "machines", ""); err != nil {
		return nil, err
	}
	v.Clusters, err = g.mayList(ctx, who, "kubevirtconfigs", g.options.ConfigsNamespace)
	return v, err
}

// Ask asks for the namespaces that were not asked for yet. Its error is ErrNoAnswer.
func (v *Viewer) Ask(ctx context.Context, namespaces []string) error {
	if v.AllMachines {
		return nil
	}
	var missing []string
	for _, each := range namespaces {
		if _, asked := v.namespaces[each]; !asked && !slices.Contains(missing, each) {
			missing = append(missing, each)
		}
	}
	slices.Sort(missing)
	room := max(0, MaxNamespaces-len(v.namespaces))
	if len(missing) > room {
		v.NotChecked, missing = len(missing)-room, missing[:room]
	}
	verdicts, err := v.gate.mayListIn(ctx, v.who, missing)
	for i, each := range missing[:len(verdicts)] {
		v.namespaces[each] = verdicts[i]
	}
	return err
}

// Sees reports whether the Machines of a namespace may be shown. One that was not asked for is not
// seen.
func (v *Viewer) Sees(namespace string) bool { return v.AllMachines || v.namespaces[namespace] }

// SeesNothing reports whether there is nothing that may be shown.
func (v *Viewer) SeesNothing() bool {
	for _, seen := range v.namespaces {
		if seen {
			return false
		}
	}
	return !v.AllMachines && !v.Clusters
}

// SameAs reports whether another look at the same person said the same.
func (v *Viewer) SameAs(other *Viewer) bool {
	if v.Name != other.Name || v.AllMachines != other.AllMachines || v.Clusters != other.Clusters {
		return false
	}
	for namespace, seen := range v.namespaces {
		if seen != other.namespaces[namespace] {
			return false
		}
	}
	return true
}

// Namespaces are those that were asked for, sorted.
func (v *Viewer) Namespaces() []string {
	var all []string
	for namespace := range v.namespaces {
		all = append(all, namespace)
	}
	slices.Sort(all)
	return all
}

// mayListIn asks for Machines in several namespaces, side by side. Without an answer for all of
// them there is none.
func (g *Gate) mayListIn(ctx context.Context, who user.Info, namespaces []string) ([]bool, error) {
	verdicts, errs := make([]bool, len(namespaces)), make([]error, len(namespaces))
	places := make(chan struct{}, sideBySide)
	var asking sync.WaitGroup
	for i, namespace := range namespaces {
		places <- struct{}{}
		asking.Go(func() {
			verdicts[i], errs[i] = g.mayList(ctx, who, "machines", namespace)
			<-places
		})
	}
	asking.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return verdicts, nil
}

func (g *Gate) mayList(ctx context.Context, who user.Info, resource, namespace string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	decision, _, err := g.authority.Authorize(ctx, authorizer.AttributesRecord{
		User: who, Verb: "list", APIGroup: vitistackv1alpha1.SchemeGroupVersion.Group,
		APIVersion: vitistackv1alpha1.SchemeGroupVersion.Version, Resource: resource, Namespace: namespace,
		ResourceRequest: true,
	})
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return decision == authorizer.DecisionAllow, nil
}
