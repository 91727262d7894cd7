package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
)

// TestAccess: what is made is what deploy/remote and the tests of the operator's rights have.
func TestAccess(t *testing.T) {
	all, err := access()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, each := range all {
		names = append(names, each.String())
	}
	want := []string{
		"Namespace kubevirt-operator", "ServiceAccount kubevirt-operator/kubevirt-operator",
		"ClusterRole kubevirt-operator-remote", "ClusterRoleBinding kubevirt-operator-remote",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := account(all).String(); got != "kubevirt-operator/kubevirt-operator" {
		t.Errorf("the account is %s", got)
	}
	given, err := rules(all)
	if err != nil {
		t.Fatal(err)
	}
	rights := rightsOf(given)
	var text []string
	for _, each := range rights {
		text = append(text, each.String())
	}
	if len(rights) < 20 || !strings.Contains(strings.Join(text, ","), "create virtualmachines.kubevirt.io") {
		t.Errorf("the rights are %v", text)
	}
}

// TestAccessWithMoves: the rights of moves are beside the others, and each role stands before all
// bindings.
func TestAccessWithMoves(t *testing.T) {
	all, err := access(rbac.Moves, rbac.Readiness)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, each := range all {
		names = append(names, each.String())
	}
	want := []string{
		"Namespace kubevirt-operator", "ServiceAccount kubevirt-operator/kubevirt-operator",
		"ClusterRole kubevirt-operator-remote", "ClusterRole kubevirt-operator-moves", "ClusterRole kubevirt-operator-readiness",
		"ClusterRoleBinding kubevirt-operator-remote", "ClusterRoleBinding kubevirt-operator-moves",
		"ClusterRoleBinding kubevirt-operator-readiness",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	plain, err := access()
	if err != nil {
		t.Fatal(err)
	}
	given, err := rules(all)
	if err != nil {
		t.Fatal(err)
	}
	without, err := rules(plain)
	if err != nil {
		t.Fatal(err)
	}
	beside, err := moveRights()
	if err != nil || len(beside) < 5 || len(rightsOf(given)) <= len(rightsOf(without))+len(beside) {
		t.Errorf("%d rights are not more than %d and %d: %v", len(rightsOf(given)), len(rightsOf(without)), len(beside), err)
	}
}

func TestCompared(t *testing.T) {
	object := func(version, verb string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"rules": []any{verb}}}
		o.SetResourceVersion(version)
		o.SetManagedFields(nil)
		return o
	}
	if got := compared(object("1", "get"), object("2", "get")); got != asItIs {
		t.Errorf("a version alone is %s", got)
	}
	if got := compared(object("1", "get"), object("1", "list")); got != differs {
		t.Errorf("another right is %s", got)
	}
}
