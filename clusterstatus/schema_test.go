package clusterstatus

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

func TestSchemaCompatible(t *testing.T) {
	ready := clientmgr.State{Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected}
	cases := map[string]struct {
		reason string
		state  clientmgr.State
		answer compatibility.Answer
		status metav1.ConditionStatus
		why    string
	}{
		"Good": {"all is there", ready, compatibility.Answer{Answered: true, Compatible: true, Message: "m"},
			metav1.ConditionTrue, vitistackv1alpha1.ReasonSchemaCompatible},
		"Lacking": {"something is dropped", ready, compatibility.Answer{Answered: true, Message: "m"}, metav1.ConditionFalse,
			vitistackv1alpha1.ReasonSchemaIncompatible},
		"Silent": {"silence is neither", ready, compatibility.Answer{Message: "m"}, metav1.ConditionUnknown,
			vitistackv1alpha1.ReasonNotChecked},
		"NotYet": {"nobody has looked", ready, compatibility.Answer{}, metav1.ConditionUnknown,
			vitistackv1alpha1.ReasonNotChecked},
		"Away": {"what was seen before contact was lost is no news", clientmgr.State{}, compatibility.Answer{Answered: true,
			Compatible: true}, metav1.ConditionUnknown, vitistackv1alpha1.ReasonNotChecked},
	}
	for label, tc := range cases {
		condition := schemaCompatible(Input{State: tc.state, Schema: &tc.answer})
		if condition.Status != tc.status || condition.Reason != tc.why || condition.Message == "" {
			t.Errorf("%s: %s: got %+v", label, tc.reason, condition)
		}
	}
	if n := len(conditions(Input{Config: &vitistackv1alpha1.KubevirtConfig{}, State: ready})); n != 4 {
		t.Errorf("%d conditions where nobody looks at definitions", n)
	}
}

func TestCheckSchemaWithoutConnection(t *testing.T) {
	remotes := clientmgr.NewMockClientManager()
	checker, err := compatibility.New()
	if err != nil {
		t.Fatal(err)
	}
	if answer := checkSchema(context.Background(), checker, remotes, "away"); answer.Answered || answer.Message == "" {
		t.Errorf("a cluster that is not there answered: %+v", answer)
	}
}
