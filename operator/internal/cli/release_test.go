package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

func fakeCluster(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func TestReleaseTakesOffOursAlone(t *testing.T) {
	const others = "example.com/keep"
	ledger := vitistackv1alpha1.Ledger{
		Config: "east", ClusterUID: "east-uid", Namespace: "team", VMName: "vm-web", VMUID: "vm-uid", Nonce: "nonce",
	}
	web := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "web",
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()},
		Finalizers:  []string{vitistackv1alpha1.FinalizerMachine, vitistackv1alpha1.FinalizerMachinePublic, others},
	}}
	network := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "web", Finalizers: []string{vitistackv1alpha1.FinalizerNetworkConfiguration, others},
	}}
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "east", Finalizers: []string{others, vitistackv1alpha1.FinalizerKubevirtConfig},
	}}
	untouched := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "new"}}
	supervisor := fakeCluster(t, web, network, config, untouched)
	var out bytes.Buffer
	if err := releaseAll(t.Context(), &out, supervisor); err != nil {
		t.Fatal(err)
	}
	want := "released Machine team/web; VirtualMachine vm-web stays in east\n" +
		"released NetworkConfiguration team/web\n" +
		"released KubevirtConfig default/east\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("what it says: -want +got:\n%s", diff)
	}
	for _, each := range []struct {
		object client.Object
		want   []string
	}{
		{object: web, want: []string{vitistackv1alpha1.FinalizerMachinePublic, others}},
		{object: network, want: []string{others}},
		{object: config, want: []string{others}},
		{object: untouched},
	} {
		if err := supervisor.Get(t.Context(), client.ObjectKeyFromObject(each.object), each.object); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(each.want, each.object.GetFinalizers()); diff != "" {
			t.Errorf("finalizers of %T %s: -want +got:\n%s", each.object, each.object.GetName(), diff)
		}
	}
}

// TestReleaseWaitsForMoves: a Machine in the middle of a move has a guest that is off and disks on
// their way, and nobody but an operator goes on with them. The others are not released either: whoever
// uninstalls sees one answer, and loses nothing by asking again.
func TestReleaseWaitsForMoves(t *testing.T) {
	place := func(config, nonce, uid string) vitistackv1alpha1.Ledger {
		return vitistackv1alpha1.Ledger{
			Config: config, ClusterUID: config + "-uid", Namespace: "team", VMName: "vm-web", VMUID: uid, Nonce: nonce,
		}
	}
	record := vitistackv1alpha1.MoveRecord{
		ID: "move-1", Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold, Stage: vitistackv1alpha1.MoveBegun,
		Was: "Always", From: place("east", "n-1", "vm-uid"), To: place("west", "n-2", ""),
	}
	over := place("west", "n-2", "vm-2")
	for name, tc := range map[string]struct {
		reason         string
		ledger, record string
		free           bool
		tells          string // "" where all is released
	}{
		"UnderWay": {
			reason: "The move is named with both clusters.",
			ledger: record.Place().String(), record: record.String(),
			tells: "team/web (MachineMove web-to-west, from east to west)",
		},
		"RecordThatCannotBeRead": {
			reason: "Nobody knows how far the move is, and least of all that it is over.",
			ledger: record.Place().String(), record: "{}", tells: "team/web",
		},
		"Over": {
			reason: "A record that no ledger names is left from an earlier move.",
			ledger: over.String(), record: record.String(),
		},
		"ReleasedBefore": {
			reason: "A Machine without the finalizer has nothing to release.",
			ledger: record.Place().String(), record: record.String(), free: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			web := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
				Namespace: "team", Name: "web", Finalizers: []string{vitistackv1alpha1.FinalizerMachine},
				Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: tc.ledger,
					vitistackv1alpha1.AnnotationMove: tc.record},
			}}
			if tc.free {
				web.Finalizers = nil
			}
			other := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
				Namespace: "team", Name: "other", Finalizers: []string{vitistackv1alpha1.FinalizerMachine},
			}}
			supervisor := fakeCluster(t, web, other)
			var out bytes.Buffer
			err := releaseQuiet(t.Context(), &out, supervisor, nil)
			if (err != nil) != (tc.tells != "") {
				t.Fatalf("%s\nThe answer is: %v", tc.reason, err)
			}
			if err := supervisor.Get(t.Context(), client.ObjectKeyFromObject(other), other); err != nil {
				t.Fatal(err)
			}
			if held := len(other.Finalizers) == 1; held != (err != nil) {
				t.Errorf("%s\nanother Machine is held: %t, after %v", tc.reason, held, err)
			}
			if err == nil {
				return
			}
			for _, want := range []string{tc.tells, "kubectl machine move NAME --abort"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s\n%q does not tell %q", tc.reason, err, want)
				}
			}
			if out.Len() > 0 {
				t.Errorf("%s\nsomething was released: %s", tc.reason, out.String())
			}
		})
	}
}

// heldLease is a lease that was renewed now, for 15 seconds.
func heldLease(name, holder string) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "somewhere", Name: name},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &holder, LeaseDurationSeconds: new(int32(15)), RenewTime: &metav1.MicroTime{Time: time.Now()},
		},
	}
}

func TestReleaseLooksAtEveryLease(t *testing.T) {
	labelled := heldLease("eu-north", "pod-of-eu-north_1")
	labelled.Labels = app.LeaseLabels()
	given := heldLease(app.DefaultLeaderElectionID, "")
	ended := heldLease(app.DefaultLeaderElectionID, "host_1")
	ended.Spec.RenewTime = &metav1.MicroTime{Time: time.Now().Add(-time.Minute)}
	for name, tc := range map[string]struct {
		reason string
		lease  *coordinationv1.Lease
		named  []string
		held   bool
	}{
		"the default lease": {
			reason: "An operator that leads by the default lease would put the finalizers back.",
			lease:  heldLease(app.DefaultLeaderElectionID, "host_1"), held: true,
		},
		"a deployment with a selector": {
			reason: "A deployment with a --watch-selector has a lease of its own name, " +
				"which release did not look at. The label tells.",
			lease: labelled, held: true,
		},
		"a deployment of an earlier release": {
			reason: "A lease that an earlier release made has no label, but its holder is a pod of the operator's Deployment.",
			lease:  heldLease("eu-south", "kubevirt-operator-6f7c_1"), held: true,
		},
		"a lease that is named": {
			reason: "A person names the lease of an operator that runs elsewhere, without a label.",
			lease:  heldLease("mine", "laptop_1"), named: []string{"other", "mine"}, held: true,
		},
		"another program": {
			reason: "Leases of other programs are no operator's.",
			lease:  heldLease("kube-scheduler", "node-1_1"),
		},
		"a lease that was given back": {
			reason: "An operator that was stopped has given its lease back.",
			lease:  given,
		},
		"a lease that has ended": {
			reason: "An operator that was killed leaves a lease that ends by itself.",
			lease:  ended,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := nobodyLeads(t.Context(), fakeCluster(t, tc.lease), tc.named)
			if (err != nil) != tc.held {
				t.Fatalf("%s\nThe answer is: %v", tc.reason, err)
			}
			if tc.held && !strings.Contains(err.Error(), "somewhere/"+tc.lease.Name) {
				t.Errorf("the lease is not named: %v", err)
			}
		})
	}
}
