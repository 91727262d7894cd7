package rollout

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// wrote lets somebody have written fields of the metadata, so long after noon.
func wrote(manager string, after time.Duration, fields string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		at := metav1.NewTime(noon.Add(after))
		m.ManagedFields = append(m.ManagedFields, metav1.ManagedFieldsEntry{Manager: manager, Operation: "Update", Time: &at,
			FieldsV1: metav1.NewFieldsV1(fmt.Sprintf(`{"f:metadata":{%s}}`, fields))})
	}
}

const (
	ownerField   = `"f:ownerReferences":{".":{}}`
	restartField = `"f:annotations":{"f:vitistack.io/restart":{}}`
	otherField   = `"f:annotations":{"f:example.com/other":{}}`
)

// TestOwnersAnnotation: an annotation is the owner's where whoever wrote the owner reference writes it.
func TestOwnersAnnotation(t *testing.T) {
	cases := map[string]struct {
		reason string
		by     []func(*vitistackv1alpha1.Machine)
		want   string
	}{
		"nobody": {reason: "without managed fields nothing is known to be written"},
		"a person": {
			reason: "a person who restarts a Machine by hand does not write it again",
			by:     []func(*vitistackv1alpha1.Machine){wrote("pools", 0, ownerField), wrote("kubectl", 0, restartField)},
		},
		"the owner, something else": {
			reason: "what it writes is not what the rollout writes",
			by:     []func(*vitistackv1alpha1.Machine){wrote("pools", 0, ownerField+","+otherField)},
		},
		"the owner": {
			reason: "it would write its own value again",
			by:     []func(*vitistackv1alpha1.Machine){wrote("pools", 0, ownerField+","+restartField)},
			want:   vitistackv1alpha1.AnnotationRestart,
		},
	}
	for name, tc := range cases {
		if got := ownersAnnotation(ready("a", tc.by...)); got != tc.want {
			t.Errorf("%s: %s: got %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}

// TestWhoTookBack: who writes the annotation now, else who wrote last, and never the operator itself.
func TestWhoTookBack(t *testing.T) {
	by := []func(*vitistackv1alpha1.Machine){
		wrote("early", 0, otherField), wrote("sync", time.Minute, otherField), wrote(FieldOwner, time.Hour, otherField),
		wrote("operator", time.Hour, otherField),
	}
	if got := whoTookBack(ready("a", by...), "operator"); got != "sync" {
		t.Errorf("got %q, want sync", got)
	}
	if got := whoTookBack(ready("a", append(by, wrote("pools", 0, restartField))...), "operator"); got != "pools" {
		t.Errorf("got %q, want pools", got)
	}
	if got := whoTookBack(ready("a"), "operator"); got != "somebody" {
		t.Errorf("got %q", got)
	}
}
