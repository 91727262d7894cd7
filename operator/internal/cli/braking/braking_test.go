package braking

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// supervisor has one Machine that nobody holds, and some that the brake holds.
func supervisor(t *testing.T) *reach.Supervisor {
	t.Helper()
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}},
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: "east"}},
		placed("free", "east", "", ""), placed("changed", "west", vitistackv1alpha1.ConditionVirtualMachineReady,
			vitistackv1alpha1.ReasonChangeHeld),
	}
	for i := range 25 {
		config := map[bool]string{true: "east", false: "west"}[i < 22]
		objects = append(objects, placed(fmt.Sprintf("held%02d", i), config, vitistackv1alpha1.ConditionDeletionHeld,
			vitistackv1alpha1.ReasonDeletionHeld))
	}
	admin := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return &reach.Supervisor{Cluster: &reach.Cluster{Client: admin}, Namespace: "configs", Namespaced: true}
}

func placed(name, config, condition, reason string) *vitistackv1alpha1.Machine {
	ledger := vitistackv1alpha1.Ledger{Config: config, Namespace: "team", VMName: "vm-" + name, Nonce: "n"}
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name,
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}}}
	if condition != "" {
		m.Status.SetCondition(metav1.Condition{Type: condition, Status: "True", Reason: reason})
	}
	return m
}

func named(names ...string) *chosen {
	of := &chosen{}
	for _, name := range names {
		of.names = append(of.names, client.ObjectKey{Namespace: "team", Name: name})
	}
	return of
}

// annotated are the names of the Machines that have an annotation.
func annotated(t *testing.T, s *reach.Supervisor, key string) (names []string) {
	t.Helper()
	list := &vitistackv1alpha1.MachineList{}
	if err := s.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Items {
		if m.Annotations[key] == "true" {
			names = append(names, m.Name)
		}
	}
	return names
}

// TestConfirm: what is let go, how it is told, and that nothing is written where it is only asked.
func TestConfirm(t *testing.T) {
	until := time.Unix(2e9, 0).UTC().Format(time.RFC3339)
	deletions := confirmation{annotation: vitistackv1alpha1.AnnotationConfirmDeletion, until: until}
	changes := confirmation{annotation: vitistackv1alpha1.AnnotationConfirmChange, until: until, change: true}
	for name, tc := range map[string]struct {
		what  confirmation
		of    *chosen
		dry   bool
		says  []string
		where client.Object // that has the annotation then, nil for named Machines
		names string        // of the Machines that have it
	}{
		"Names": {what: deletions, of: named("held00", "held01"), names: "held00 held01",
			says: []string{"2 virtual machines are held and will be deleted", "Deletions are let go: Machine team/held00"}},
		"BeforeItIsHeld": {what: deletions, of: named("free"), names: "free", says: []string{"0 virtual machines are held"}},
		"Dry":            {what: deletions, of: named("held00"), dry: true, says: []string{"1 virtual machines are held"}},
		"Namespace": {what: deletions, of: &chosen{all: true, namespace: "team"},
			where: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}},
			says:  []string{"Namespace team: 25 virtual machines", "and 5 more", "until 2033-05-18T03:33:20Z"}},
		"Cluster": {what: deletions, of: &chosen{cluster: "east"},
			where: &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: "east"}},
			says:  []string{"Cluster east: 22 virtual machines", "until 2033-05-18T03:33:20Z"}},
		"Changes": {what: changes, of: &chosen{all: true, namespace: "team"},
			where: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}},
			says:  []string{"1 virtual machines are held and will be changed", "team/changed  west", "Changes are let go"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, out := supervisor(t), &bytes.Buffer{}
			if err := tc.what.write(t.Context(), s, tc.of, tc.dry, out); err != nil {
				t.Fatal(err)
			}
			for _, text := range tc.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("it does not say %q:\n%s", text, out)
				}
			}
			if got := strings.Join(annotated(t, s, tc.what.annotation), " "); got != tc.names {
				t.Errorf("the annotation is on %q, want %q", got, tc.names)
			}
			if tc.where == nil {
				return
			}
			if err := s.Get(t.Context(), client.ObjectKeyFromObject(tc.where), tc.where); err != nil {
				t.Fatal(err)
			}
			if got := tc.where.GetAnnotations()[tc.what.annotation]; got != until {
				t.Errorf("it counts until %q", got)
			}
		})
	}
}

// TestKeep: what is held is kept, and what is not is told.
func TestKeep(t *testing.T) {
	s, out := supervisor(t), &bytes.Buffer{}
	if err := keep(t.Context(), s, &chosen{cluster: "east"}, true, out); err != nil {
		t.Fatal(err)
	}
	if kept := annotated(t, s, vitistackv1alpha1.AnnotationKeepVM); len(kept) > 0 {
		t.Errorf("who only asks keeps %v", kept)
	}
	if err := keep(t.Context(), s, &chosen{cluster: "east"}, false, out); err != nil {
		t.Fatal(err)
	}
	if kept := annotated(t, s, vitistackv1alpha1.AnnotationKeepVM); len(kept) != 22 ||
		!strings.Contains(out.String(), "22 Machines go and leave their virtual machines") {
		t.Errorf("kept are %v:\n%s", kept, out)
	}
	err := keep(t.Context(), s, named("held24", "free"), false, out)
	if exit.Code(err) != exit.Negative || len(annotated(t, s, vitistackv1alpha1.AnnotationKeepVM)) != 23 {
		t.Errorf("a Machine that is not held: %v", err)
	}
}

// TestArguments: what is wrong with arguments is said before anything is asked.
func TestArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"web", "--namespace-all"}, {"--namespace-all", "--cluster", "east"}, {"a/b/c"}} {
		for _, cmd := range Commands() {
			cmd.SetArgs(args)
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "NAME") &&
				!strings.Contains(err.Error(), "want names of Machines") {
				t.Errorf("%s %v: %v", cmd.Name(), args, err)
			}
		}
	}
}
