package machine

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// unanswered remembers the last look into the clusters of each Machine that waits for the answer of
// one. The zero value is empty. It is safe for concurrent use.
type unanswered struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]look
}

// look is a look that some clusters did not answer.
type look struct {
	clusters string // as they were before it
	at       time.Time
	changed  bool // the clusters have changed since
}

// lookPause is the least time between two looks while clusters are still silent. At a start each
// cluster that begins to answer wakes every Machine that waits, and each look calls all clusters.
const lookPause = wake.FirstWait

// looked tells how the clusters were before a look that some of them did not answer.
func (u *unanswered) looked(key types.NamespacedName, clusters string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.locked == nil {
		u.locked = map[types.NamespacedName]look{}
	}
	u.locked[key] = look{clusters: clusters, at: now}
}

// stands reports whether the last look still says how it is: the clusters are as they were then, or,
// where some are still silent, it is not long ago.
func (u *unanswered) stands(key types.NamespacedName, clusters string, silent bool, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	last, found := u.locked[key]
	if !found || last.clusters == clusters {
		return found
	}
	last.changed = silent && now.Before(last.at.Add(lookPause))
	u.locked[key] = last
	return last.changed
}

// remaining is the time until the next look of a Machine whose clusters have changed, 0 for none and
// once it is over: a Machine that has something else against it by then waits for that.
func (u *unanswered) remaining(key types.NamespacedName, now time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.locked[key]
	if !last.changed {
		return 0
	}
	return max(0, last.at.Add(lookPause).Sub(now))
}

// forget forgets a Machine.
func (u *unanswered) forget(key types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.locked, key)
}

// stillUnanswered says again what the last look said, before the next one is due and while no
// cluster has begun to answer, or others are still silent and it is a moment ago. The Machine's own
// events, those of a silent cluster and the time at which people are told wake it meanwhile, and
// each look costs calls in every other cluster. An object with the Machine's labels may end the
// wait, and is looked at at once.
func (r *MachineReconciler) stillUnanswered(machine *vitistackv1alpha1.Machine, clusters string, silent bool) error {
	key, now := client.ObjectKeyFromObject(machine), r.clock.Now()
	row, found := r.memory.streaks.Of(key, asks(machine))
	if !found || !now.Before(row.Due) || r.memory.copies.Changed(machine.UID) || !isUnanswered(row.Last) {
		return nil
	}
	if !r.memory.unanswered.stands(key, clusters, silent, now) {
		return nil
	}
	return row.Last
}

// isUnanswered reports whether a Machine waits for the answer of a cluster.
func isUnanswered(err error) bool {
	ended, is := problem.As(err)
	return is && ended.Reason == vitistackv1alpha1.ReasonClustersUnanswered
}

// clustersNow is one text for which clusters there are and which of them answer, and whether one is silent.
func (r *MachineReconciler) clustersNow(configs []vitistackv1alpha1.KubevirtConfig) (clusters string, silent bool) {
	var text []byte
	for i := range configs {
		state, _ := r.KubevirtClientMgr.State(configs[i].Name)
		text = append(append(text, configs[i].Name...), ' ')
		text = append(strconv.AppendInt(text, configs[i].Generation, 10), ' ')
		text = append(strconv.AppendBool(text, configs[i].DeletionTimestamp.IsZero()), ' ')
		text = append(strconv.AppendBool(text, state.Ready()), '\n')
		silent = silent || !state.Ready()
	}
	return string(text), silent
}
