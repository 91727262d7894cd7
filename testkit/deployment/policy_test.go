package deployment

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// record is a value of the placement annotations. The policy looks at names and at changes, never
// at values.
const record = `{"config":"cluster-east"}`

// TestPlacementPolicy installs deploy/supervisor on a real API server and writes Machines as
// different users.
func TestPlacementPolicy(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	admin := as(t, plane, controlplane.Admin)
	apply(t, admin, rendered(t, "deploy/supervisor"))
	until(t, "the policy is not in force", func(ctx context.Context) error {
		probe := machine("probe", map[string]string{vitistackv1alpha1.AnnotationPlacement: record})
		if err := admin.Create(ctx, probe, client.DryRunAll); !apierrors.IsForbidden(err) {
			return errors.Join(errors.New("a forged record is let in"), err)
		}
		return nil
	})
	written := map[string]string{
		"note":                                "mine",
		vitistackv1alpha1.AnnotationPlacement: record,
		vitistackv1alpha1.AnnotationPlacementTrace: "{}",
		vitistackv1alpha1.AnnotationMove:           "{}",
	}
	cases := map[string]struct {
		reason  string
		user    controlplane.User
		before  map[string]string // nil: the Machine is created
		after   map[string]string
		refused string
	}{
		"Forge": {
			reason:  "Whoever could create a Machine with a record could have any virtual machine deleted with it.",
			user:    controlplane.Admin,
			after:   map[string]string{vitistackv1alpha1.AnnotationPlacement: record},
			refused: "only the operator may set annotations that begin with vitistack.io/placement, and vitistack.io/move: vitistack.io/placement",
		},
		"ForgeNetwork": {
			reason:  "The record of the network is as much the operator's as that of the place.",
			user:    controlplane.Admin,
			after:   map[string]string{vitistackv1alpha1.AnnotationPlacementNetwork: "{}"},
			refused: "vitistack.io/placement-network",
		},
		"ForgeMove": {
			reason:  "Whoever could write the record of a move could have a virtual machine stopped and its disks deleted.",
			user:    controlplane.Admin,
			after:   map[string]string{vitistackv1alpha1.AnnotationMove: "{}"},
			refused: "vitistack.io/move: vitistack.io/move",
		},
		"ForgeRestart": {
			reason:  "Whoever could write the record of a restart could have a guest restarted twice, or never.",
			user:    controlplane.Admin,
			after:   map[string]string{vitistackv1alpha1.AnnotationPlacementRestart: "{}"},
			refused: "vitistack.io/placement-restart",
		},
		"AskForRestart": {
			reason: "A restart, a pause and new sizes are anybody's to ask for who may write the Machine.",
			user:   controlplane.Admin,
			after: map[string]string{vitistackv1alpha1.AnnotationRestart: "a", vitistackv1alpha1.AnnotationPauseGuest: "true",
				vitistackv1alpha1.AnnotationResize: "a"},
		},
		"Create": {
			reason: "A Machine without a record is anybody's to create; an annotation for strategies has another prefix.",
			user:   controlplane.Admin,
			after:  map[string]string{"placement.vitistack.io/zone": "a", "vitistack.io/kubevirt-config": "cluster-east"},
		},
		"CreateBare": {
			reason: "A Machine without any annotation is let in.",
			user:   controlplane.Admin,
			after:  map[string]string{},
		},
		"Change": {
			reason:  "A changed record is refused.",
			user:    controlplane.Admin,
			before:  written,
			after:   with(written, vitistackv1alpha1.AnnotationPlacement, "{}"),
			refused: "only the operator may set",
		},
		"Add": {
			reason:  "A record that is added to a Machine is refused.",
			user:    controlplane.Admin,
			before:  map[string]string{"note": "mine"},
			after:   written,
			refused: "only the operator may set",
		},
		"Remove": {
			reason:  "A record that is removed lets the operator forget its virtual machine, so that is refused.",
			user:    controlplane.Admin,
			before:  written,
			after:   map[string]string{"note": "mine"},
			refused: "only the operator may remove",
		},
		"ChangeMove": {
			reason:  "A move's record that is changed names other virtual machines, so that is refused.",
			user:    controlplane.Admin,
			before:  written,
			after:   with(written, vitistackv1alpha1.AnnotationMove, `{"id":"another"}`),
			refused: "only the operator may set",
		},
		"RemoveMove": {
			reason:  "A Machine that loses its move's record is in no place that the operator can tell.",
			user:    controlplane.Admin,
			before:  written,
			after:   without(written, vitistackv1alpha1.AnnotationMove),
			refused: "only the operator may remove",
		},
		"RemoveAll": {
			reason:  "A Machine that loses all its annotations loses its record, too.",
			user:    controlplane.Admin,
			before:  written,
			after:   nil,
			refused: "only the operator may remove",
		},
		"ChangeAnother": {
			reason: "Other annotations of a placed Machine are people's, as before.",
			user:   controlplane.Admin,
			before: written,
			after:  with(written, "note", "changed"),
		},
		"OperatorWrites": {
			reason: "The operator writes the record.",
			user:   operator,
			before: map[string]string{"note": "mine"},
			after:  written,
		},
		"OperatorRemoves": {
			reason: "The operator removes the record when it lets a Machine go.",
			user:   operator,
			before: written,
			after:  map[string]string{"note": "mine"},
		},
	}
	clients := map[string]client.Client{controlplane.Admin.Name: admin, operator.Name: as(t, plane, operator)}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := writeMachine(t, clients[tc.user.Name], clients[operator.Name], admin,
				machine(strings.ToLower(name), tc.before), tc.after)
			switch {
			case tc.refused == "" && err != nil:
				t.Errorf("%s It is refused: %v", tc.reason, err)
			case tc.refused != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tc.refused)):
				t.Errorf("%s Want an error with %q, got %v", tc.reason, tc.refused, err)
			}
		})
	}
}

// writeMachine creates the Machine with the annotations after; or, where it has annotations
// already, makes it with them, as the operator leaves it, and brings it to after.
func writeMachine(
	t *testing.T, writer, owner, admin client.Client, m *vitistackv1alpha1.Machine, after map[string]string,
) error {
	t.Helper()
	if m.Annotations == nil {
		m.Annotations = after
		return writer.Create(t.Context(), m)
	}
	before := m.Annotations
	m.Annotations = nil
	if err := admin.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := annotate(t.Context(), owner, m, before); err != nil {
		t.Fatal(err)
	}
	return annotate(t.Context(), writer, m, after)
}

// annotate patches the annotations of a Machine.
func annotate(ctx context.Context, c client.Client, m *vitistackv1alpha1.Machine, annotations map[string]string) error {
	patch := client.MergeFrom(m.DeepCopy())
	m.Annotations = annotations
	return c.Patch(ctx, m, patch)
}

func machine(name string, annotations map[string]string) *vitistackv1alpha1.Machine {
	return &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: annotations},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
}

func without(annotations map[string]string, key string) map[string]string {
	changed := maps.Clone(annotations)
	delete(changed, key)
	return changed
}

func with(annotations map[string]string, key, value string) map[string]string {
	changed := maps.Clone(annotations)
	changed[key] = value
	return changed
}
