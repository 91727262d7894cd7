package restart

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
)

var web = client.ObjectKey{Namespace: "default", Name: "web"}

// machine is one that says something.
func machine(annotations map[string]string, reason string) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: web.Namespace, Name: web.Name,
		Annotations: annotations}}
	for _, condition := range []string{vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ConditionVirtualMachineReady} {
		m.Status.SetCondition(metav1.Condition{Type: condition, Status: metav1.ConditionFalse, Reason: reason,
			Message: "as the operator says"})
	}
	return m
}

func supervisorWith(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func named(t *testing.T, name string) verb {
	t.Helper()
	for _, v := range verbs {
		if v.name == name {
			return v
		}
	}
	t.Fatalf("there is no verb %s", name)
	return verb{}
}

func TestAsk(t *testing.T) {
	cases := map[string]struct {
		reason, verb, value string
		before              map[string]string
		annotation, want    string
	}{
		"Restart": {
			reason: "a restart is a new token", verb: "restart", value: "now",
			before:     map[string]string{vitistackv1alpha1.AnnotationRestart: "before"},
			annotation: vitistackv1alpha1.AnnotationRestart, want: "now",
		},
		"Pause": {
			reason: "a pause is the value true", verb: "pause-guest", value: "true",
			annotation: vitistackv1alpha1.AnnotationPauseGuest, want: "true",
		},
		"Resume": {
			reason: "the end of a pause takes the annotation away", verb: "resume-guest",
			before:     map[string]string{vitistackv1alpha1.AnnotationPauseGuest: "true"},
			annotation: vitistackv1alpha1.AnnotationPauseGuest,
		},
		"Resize": {
			reason: "new sizes are a new token", verb: "resize", value: "now",
			annotation: vitistackv1alpha1.AnnotationResize, want: "now",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			supervisor := supervisorWith(t, machine(tc.before, vitistackv1alpha1.ReasonReady))
			var out bytes.Buffer
			v := named(t, tc.verb)
			if err := v.ask(t.Context(), supervisor, []client.ObjectKey{web}, tc.value, &out); err != nil {
				t.Fatal(err)
			}
			got := &vitistackv1alpha1.Machine{}
			if err := supervisor.Get(t.Context(), web, got); err != nil {
				t.Fatal(err)
			}
			if value, found := got.Annotations[tc.annotation]; value != tc.want || found != (tc.want != "") {
				t.Errorf("\n%s\ngot %q, want %q", tc.reason, value, tc.want)
			}
			if !strings.Contains(out.String(), "default/web "+v.said) {
				t.Errorf("\n%s\nit says %q", tc.reason, out.String())
			}
		})
	}
}

// TestAskNobody changes no Machine where one of the names is wrong.
func TestAskNobody(t *testing.T) {
	supervisor := supervisorWith(t, machine(nil, vitistackv1alpha1.ReasonReady))
	keys := []client.ObjectKey{web, {Namespace: "default", Name: "nobody"}}
	err := named(t, "restart").ask(t.Context(), supervisor, keys, "now", &bytes.Buffer{})
	got := &vitistackv1alpha1.Machine{}
	if getErr := supervisor.Get(t.Context(), web, got); err == nil || getErr != nil || len(got.Annotations) > 0 {
		t.Errorf("%v, %v, %v", err, getErr, got.Annotations)
	}
}

func TestAwait(t *testing.T) {
	at := metav1.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	record := vitistackv1alpha1.RestartRecord{Token: "now", Instance: "a", At: at}
	done := record
	done.Done = true
	pause := vitistackv1alpha1.PauseRecord{Instance: "a", Stage: vitistackv1alpha1.PausePaused, At: at}
	cases := map[string]struct {
		reason, verb, annotation, record, says string
		code                                   int
	}{
		"Done": {
			reason: "the restart of this very token is over", verb: "restart",
			annotation: vitistackv1alpha1.AnnotationPlacementRestart, record: done.String(),
			says: vitistackv1alpha1.ReasonReady,
		},
		"UnderWay": {
			reason: "a restart that is under way when the time is over is not seen to its end", verb: "restart",
			annotation: vitistackv1alpha1.AnnotationPlacementRestart, record: record.String(),
			says: vitistackv1alpha1.ReasonRestarting, code: 3,
		},
		"RightMissing": {
			reason: "a person must give the right first", verb: "restart",
			annotation: vitistackv1alpha1.AnnotationPlacementRestart, record: record.String(),
			says: vitistackv1alpha1.ReasonGuestRightMissing, code: 1,
		},
		"Paused":  {reason: "the guest is frozen", verb: "pause-guest", says: vitistackv1alpha1.ReasonGuestPaused},
		"Resumed": {reason: "the record is gone", verb: "resume-guest", says: vitistackv1alpha1.ReasonReady},
		"NotResumed": {
			reason: "while the record is there the guest is not known to go on", verb: "resume-guest",
			annotation: vitistackv1alpha1.AnnotationPlacementPause, record: pause.String(),
			says: vitistackv1alpha1.ReasonGuestPaused, code: 3,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotations := map[string]string{}
			if tc.annotation != "" {
				annotations[tc.annotation] = tc.record
			}
			ctx, cancel := context.WithTimeout(t.Context(), lasting+3*interval)
			defer cancel()
			supervisor := supervisorWith(t, machine(annotations, tc.says))
			err := named(t, tc.verb).await(ctx, supervisor, []client.ObjectKey{web}, "now", &bytes.Buffer{})
			if code := exit.Code(err); code != tc.code {
				t.Errorf("\n%s\nit ends with %d: %v", tc.reason, code, err)
			}
		})
	}
}

// TestToken holds that no two commands give the same token, and that the operator takes it.
func TestToken(t *testing.T) {
	now := time.Now()
	if one, another := token(now), token(now); one == another || !vitistackv1alpha1.IsGuestToken(one) {
		t.Errorf("%q and %q", one, another)
	}
}
