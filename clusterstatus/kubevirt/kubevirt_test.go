package kubevirt

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

func TestKubeVirtOf(t *testing.T) {
	object := func(name string, phase kubevirtv1.KubeVirtPhase, available corev1.ConditionStatus) kubevirtv1.KubeVirt {
		kv := kubevirtv1.KubeVirt{ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt", Name: name}}
		kv.Status.Phase, kv.Status.ObservedKubeVirtVersion = phase, "v1-"+name
		kv.Status.Conditions = []kubevirtv1.KubeVirtCondition{
			{Type: kubevirtv1.KubeVirtConditionAvailable, Status: available, Reason: "DeploymentInProgress"},
		}
		return kv
	}
	going := object("a", kubevirtv1.KubeVirtPhaseDeployed, "True")
	going.DeletionTimestamp = &metav1.Time{Time: time.Unix(1000, 0)}
	well, slow := object("b", kubevirtv1.KubeVirtPhaseDeployed, "True"),
		object("a", kubevirtv1.KubeVirtPhaseDeploying, "True")
	for name, c := range map[string]struct {
		reason  string
		objects []kubevirtv1.KubeVirt
		want    State
	}{
		"none": {
			reason: "the definition alone is no KubeVirt",
			want: State{Answered: true, Reason: "there is no KubeVirt object",
				Message: "KubeVirt is not installed: there is no KubeVirt object"},
		},
		"well": {
			reason: "it works", objects: []kubevirtv1.KubeVirt{well},
			want: State{Answered: true, Installed: true, Ready: true, Version: "v1-b", Message: "KubeVirt works"},
		},
		"deploying": {
			reason: "it is on its way", objects: []kubevirtv1.KubeVirt{slow},
			want: State{Answered: true, Installed: true, Version: "v1-a", Reason: `its phase is "Deploying"`,
				Message: `KubeVirt does not work: its phase is "Deploying"`},
		},
		"not available": {
			reason:  "it was deployed, and broke",
			objects: []kubevirtv1.KubeVirt{object("a", kubevirtv1.KubeVirtPhaseDeployed, "False")},
			want: State{Answered: true, Installed: true, Version: "v1-a", Reason: "it is not available: DeploymentInProgress",
				Message: "KubeVirt does not work: it is not available: DeploymentInProgress"},
		},
		"going": {
			reason: "it works no longer", objects: []kubevirtv1.KubeVirt{going},
			want: State{Answered: true, Installed: true, Version: "v1-a", Reason: "it is being deleted",
				Message: "KubeVirt does not work: it is being deleted"},
		},
		"two": {
			reason: "one that works is enough, in any order", objects: []kubevirtv1.KubeVirt{well, slow},
			want: State{Answered: true, Installed: true, Ready: true, Version: "v1-b", Message: "KubeVirt works"},
		},
		"two that do not work": {
			reason:  "the first by name speaks for both",
			objects: []kubevirtv1.KubeVirt{object("c", kubevirtv1.KubeVirtPhaseDeleting, "True"), slow},
			want: State{Answered: true, Installed: true, Version: "v1-a", Reason: `its phase is "Deploying"`,
				Message: `KubeVirt does not work: its phase is "Deploying"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Of(c.objects)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
		})
	}
}

// answers is a cluster that fails lists and gets with one error each.
type answers struct{ list, get error }

func (a answers) List(context.Context, client.ObjectList, ...client.ListOption) error { return a.list }

func (a answers) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return a.get
}

func TestLook(t *testing.T) {
	definition := schema.GroupResource{Group: crdKind.Group, Resource: "customresourcedefinitions"}
	absent := apierrors.NewNotFound(definition, crd)
	secret := errors.New("dial tcp 10.1.2.3:6443: connection refused")
	for name, c := range map[string]struct {
		reason string
		answer answers
		want   State
	}{
		"not defined": {
			reason: "the server itself says that it does not know the kind",
			answer: answers{list: clientmgr.ErrKindNotServed, get: absent},
			want: State{Answered: true, Reason: "CustomResourceDefinition kubevirts.kubevirt.io does not exist",
				Message: "KubeVirt is not installed: CustomResourceDefinition kubevirts.kubevirt.io does not exist"},
		},
		"defined, not served": {
			reason: "a 404 about a path proves nothing", answer: answers{list: clientmgr.ErrKindNotServed},
			want: State{Message: "KubeVirt could not be looked at"},
		},
		"forbidden": {
			reason: "it says what right is missing", answer: answers{list: clientmgr.ErrForbidden, get: absent},
			want: State{Message: "listing kubevirts.kubevirt.io is forbidden"},
		},
		"broken": {
			reason: "addresses come from the Secret", answer: answers{list: secret, get: secret},
			want: State{Message: "KubeVirt could not be looked at"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Look(t.Context(), c.answer)
			if diff := cmp.Diff(c.want, got); diff != "" || got.Answered == (err != nil) {
				t.Errorf("%s: error %v, -want +got:\n%s", c.reason, err, diff)
			}
		})
	}
}
