package access

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// gateOf is a Gate whose verdicts are a test's. Real ones are asked for in the tests of package page.
func gateOf(may func(resource, namespace string) (bool, error)) (gate *Gate, asked *atomic.Int64) {
	asked = &atomic.Int64{}
	return &Gate{authority: authorizer.AuthorizerFunc(
		func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
			asked.Add(1)
			allowed, err := may(a.GetResource(), a.GetNamespace())
			if allowed {
				return authorizer.DecisionAllow, "", err
			}
			return authorizer.DecisionNoOpinion, "", err
		})}, asked
}

func names(count int) []string {
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("namespace-%04d", i), "namespace-0000") // with repetitions
	}
	return all
}

// TestManyNamespaces: for one person a bounded number of namespaces is asked for, each once, and it
// is said how many were not.
func TestManyNamespaces(t *testing.T) {
	gate, asked := gateOf(func(_, namespace string) (bool, error) { return namespace == "namespace-0007", nil })
	viewer, err := gate.Viewer(t.Context(), &user.DefaultInfo{Name: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	before := asked.Load()
	for range 3 {
		if err := viewer.Ask(t.Context(), names(MaxNamespaces+20)); err != nil {
			t.Fatal(err)
		}
	}
	if got := asked.Load() - before; got != MaxNamespaces || viewer.NotChecked != 20 {
		t.Errorf("%d namespaces were asked for, %d were not", got, viewer.NotChecked)
	}
	if !viewer.Sees("namespace-0007") || viewer.Sees("namespace-0008") || viewer.Sees("namespace-0519") || viewer.SeesNothing() {
		t.Error("a namespace is shown that was not allowed, or the other way round")
	}
}

// TestNoVerdictIsNone: a question without an answer is no refusal and no consent.
func TestNoVerdictIsNone(t *testing.T) {
	silent := errors.New("silent")
	gate, _ := gateOf(func(resource, namespace string) (bool, error) {
		if namespace == "namespace-0003" {
			return true, silent
		}
		return resource == "kubevirtconfigs" || namespace == "namespace-0001", nil
	})
	viewer, err := gate.Viewer(t.Context(), &user.DefaultInfo{Name: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if err := viewer.Ask(t.Context(), names(5)); !errors.Is(err, ErrNoAnswer) || !errors.Is(err, silent) {
		t.Errorf("the error is %v", err)
	}
	if viewer.Sees("namespace-0001") || viewer.Sees("namespace-0003") {
		t.Error("something is seen before all was answered")
	}
}

// TestSameAs compares two looks at one person.
func TestSameAs(t *testing.T) {
	var allowed atomic.Value
	allowed.Store("namespace-0001")
	gate, _ := gateOf(func(_, namespace string) (bool, error) { return namespace == allowed.Load(), nil })
	look := func() *Viewer {
		viewer, err := gate.Viewer(t.Context(), &user.DefaultInfo{Name: "ada"})
		if err == nil {
			err = viewer.Ask(t.Context(), names(5))
		}
		if err != nil {
			t.Fatal(err)
		}
		return viewer
	}
	first := look()
	if !first.SameAs(look()) || len(first.Namespaces()) != 5 {
		t.Error("the same is another")
	}
	allowed.Store("namespace-0002")
	if first.SameAs(look()) {
		t.Error("another right is the same")
	}
}
