package clusterstatus

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// book is the ConfigMap with debts, by the UID of the Machine that is gone.
func book(entries map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: vitistackv1alpha1.DebtsConfigMap},
		Data:       entries,
	}
}

// debtTo is an entry of the book as the operator writes it.
func debtTo(config string) string {
	return `{"machine":"web","uid":"u1","ledger":{"config":"` + config +
		`","clusterUID":"uid-east","namespace":"tenants","vmName":"vm-web","nonce":"n"}}`
}

func TestDebtsHoldAConfig(t *testing.T) {
	cases := map[string]struct {
		reason  string
		entries map[string]string
		gone    bool
	}{
		"OwedHere": {
			reason:  "A KubevirtConfig is the only way into its cluster, so it stays while a virtual machine is to be deleted there.",
			entries: map[string]string{"u1": debtTo("east")},
		},
		"OwedElsewhere": {
			reason:  "What is owed to another cluster holds that one's KubevirtConfig alone.",
			entries: map[string]string{"u1": debtTo("west")},
			gone:    true,
		},
		"Unreadable": {
			reason:  "An entry that cannot be read names no cluster; it must not hold every KubevirtConfig for ever.",
			entries: map[string]string{"u1": "{"},
			gone:    true,
		},
		"Nothing": {
			reason: "An empty book holds nothing.",
			gone:   true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := east()
			config.Finalizers = []string{vitistackv1alpha1.FinalizerKubevirtConfig}
			w := newWorld(t, config, book(tc.entries))
			w.remotes.SetState(away(time.Hour))
			w.remove(config)
			w.reconcile()
			if gone := w.east() == nil; gone != tc.gone {
				t.Errorf("%s It is gone: %t", tc.reason, gone)
			}
		})
	}
}

func TestDebtsAreTold(t *testing.T) {
	config := east()
	config.Finalizers = []string{vitistackv1alpha1.FinalizerKubevirtConfig}
	owed := book(map[string]string{"u1": debtTo("east")})
	w := newWorld(t, config, owed)
	w.remotes.SetState(away(time.Hour))
	if again := w.reconcile(); again != lookInterval {
		t.Errorf("Nobody waits for a KubevirtConfig that stays, so it looks again in %s, got %s", lookInterval, again)
	}
	if condition := meta.FindStatusCondition(w.east().Status.Conditions,
		vitistackv1alpha1.ConditionReleasable); condition != nil {
		t.Errorf("A KubevirtConfig that is not being deleted waits for nothing, got %v", condition)
	}
	w.remove(config)
	if again := w.reconcile(); again != lookAgain {
		t.Errorf("A deletion waits, so the debts are looked at again in %s, got %s", lookAgain, again)
	}
	const want = "being deleted; waits until the cluster answers and these virtual machines are deleted there: tenants/vm-web; " +
		"to give one up take its entry out of ConfigMap vitistack-debts"
	status := w.east().Status
	condition := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReleasable)
	if condition == nil || condition.Reason != vitistackv1alpha1.ReasonDebtsOwed || condition.Message != want {
		t.Errorf("The condition says what it waits for and what a person can do, got %v", condition)
	}
	if status.Message != want {
		t.Errorf("The message is %q", status.Message)
	}
	w.reconcile()
	w.took()
	w.reconcile()
	w.wantPatches("Waiting for a debt writes nothing.", 0)
	if err := w.supervisor.Delete(t.Context(), owed); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if w.east() != nil {
		t.Error("The last debt is paid, and the KubevirtConfig stays.")
	}
}
