package machine

import (
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// unanswered remembers, for each Machine that waits for the answer of a cluster, how the clusters
// were before the last look into them. The zero value is empty. It is safe for concurrent use.
type unanswered struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]string
}

// looked tells how the clusters were before a look that some of them did not answer.
func (u *unanswered) looked(key types.NamespacedName, clusters string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.locked == nil {
		u.locked = map[types.NamespacedName]string{}
	}
	u.locked[key] = clusters
}

// same reports whether the clusters are as they were then.
func (u *unanswered) same(key types.NamespacedName, clusters string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	before, found := u.locked[key]
	return found && before == clusters
}

// forget forgets a Machine.
func (u *unanswered) forget(key types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.locked, key)
}

// stillUnanswered says again what the last look said, before the next one is due and while no
// cluster has begun to answer. The Machine's own events, those of a silent cluster and the time at
// which people are told wake it meanwhile, and each look costs calls in every other cluster. An
// object with the Machine's labels may end the wait, and is looked at at once.
func (r *MachineReconciler) stillUnanswered(machine *vitistackv1alpha1.Machine, clusters string) error {
	key := client.ObjectKeyFromObject(machine)
	row, found := r.memory.streaks.Of(key, asks(machine))
	if !found || !r.clock.Now().Before(row.Due) || r.memory.copies.Changed(machine.UID) {
		return nil
	}
	if !isUnanswered(row.Last) || !r.memory.unanswered.same(key, clusters) {
		return nil
	}
	return row.Last
}

// isUnanswered reports whether a Machine waits for the answer of a cluster.
func isUnanswered(err error) bool {
	ended, is := problem.As(err)
	return is && ended.Reason == vitistackv1alpha1.ReasonClustersUnanswered
}

// clustersNow is one text for which clusters there are and which of them answer.
func (r *MachineReconciler) clustersNow(configs []vitistackv1alpha1.KubevirtConfig) string {
	var text strings.Builder
	for i := range configs {
		state, _ := r.KubevirtClientMgr.State(configs[i].Name)
		fmt.Fprintf(&text, "%s %d %t %t\n", configs[i].Name, configs[i].Generation,
			configs[i].DeletionTimestamp.IsZero(), state.Ready())
	}
	return text.String()
}
