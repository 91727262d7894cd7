package removal

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestAddressesThatTheCacheLacks: after a restore of the supervisor one kind is in the cache before
// another. What is given up last has nobody who would come back for it.
func TestAddressesThatTheCacheLacks(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		give   func(side.Supervisor, *vitistackv1alpha1.Machine, desired.Options) error
		gone   bool
	}{
		"given up": {
			reason: "the addresses are free",
			give: func(s side.Supervisor, m *vitistackv1alpha1.Machine, o desired.Options) error {
				return GiveUpAddresses(t.Context(), s, m, o)
			},
			gone: true,
		},
		"kept": {
			reason: "the addresses stay, and nothing holds them",
			give: func(s side.Supervisor, m *vitistackv1alpha1.Machine, o desired.Options) error {
				return KeepAddresses(t.Context(), s, m, o)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			options := desired.Options{SupervisorUID: supervisorID}
			machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "web", UID: machineUID}}
			nc := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{
				Namespace: team, Name: "web", Labels: desired.Labels(machine, options),
				Finalizers: []string{vitistackv1alpha1.FinalizerNetworkConfiguration},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: vitistackv1alpha1.SchemeGroupVersion.String(), Kind: "Machine",
					Name: "web", UID: machineUID}},
			}}
			server := w.clients[supervisor]
			if err := server.Create(t.Context(), nc); err != nil {
				t.Fatal(err)
			}
			behind := fake.NewClientBuilder().WithScheme(server.Scheme()).Build()
			if err := tc.give(side.Supervisor{Cache: side.SupervisorCache{Reader: behind},
				Server: side.SupervisorServer{Reader: server}, Writer: server}, machine, options); err != nil {
				t.Fatal(err)
			}
			err := server.Get(t.Context(), client.ObjectKeyFromObject(nc), nc)
			if gone := client.IgnoreNotFound(err) == nil && err != nil; gone != tc.gone {
				t.Errorf("%s: gone is %t: %v", tc.reason, gone, err)
			}
			if !tc.gone && len(nc.Finalizers)+len(nc.OwnerReferences) > 0 {
				t.Errorf("%s: %v %v", tc.reason, nc.Finalizers, nc.OwnerReferences)
			}
		})
	}
}
