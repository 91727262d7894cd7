package clusterstatus

import (
	"slices"
	"sync"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// record is what is remembered of one KubevirtConfig. It saves calls and decides nothing: losing it
// costs a write that changes nothing. One reconcile at a time uses it.
type record struct {
	uid   types.UID
	sight sight
	vigil vigil
	// latest is the object as the last patch returned it, superseded the resourceVersions that came
	// before: what the cache shows until it has caught up.
	latest     *vitistackv1alpha1.KubevirtConfig
	superseded []string
	// asked is the status of the last patch, kept what the server made of it: definitions of others
	// drop fields.
	asked, kept *vitistackv1alpha1.KubevirtConfigStatus
	// wrote is when that was.
	wrote time.Time
}

// maxSuperseded bounds a record. A reconcile makes three patches at most.
const maxSuperseded = 8

// newest returns the object to work on: the one read, or a newer one where the cache is behind our
// own writes.
func (r *record) newest(read *vitistackv1alpha1.KubevirtConfig) *vitistackv1alpha1.KubevirtConfig {
	if r.latest != nil && slices.Contains(r.superseded, read.ResourceVersion) {
		return r.latest.DeepCopy()
	}
	r.latest, r.superseded = nil, nil
	return read
}

// patched notes that a patch turned before into after.
func (r *record) patched(before, after *vitistackv1alpha1.KubevirtConfig) {
	if before.ResourceVersion == after.ResourceVersion {
		return
	}
	r.superseded = append(r.superseded, before.ResourceVersion)
	r.superseded = r.superseded[max(0, len(r.superseded)-maxSuperseded):]
	r.latest = after.DeepCopy()
}

// written returns the status as it was last written: what was asked for, while the server has what
// it made of that.
func (r *record) written(config *vitistackv1alpha1.KubevirtConfig) *vitistackv1alpha1.KubevirtConfigStatus {
	if r.kept != nil && apiequality.Semantic.DeepEqual(*r.kept, config.Status) {
		return r.asked
	}
	return &config.Status
}

// records are the records of all KubevirtConfigs.
type records struct {
	locked struct {
		sync.Mutex
		byKey map[client.ObjectKey]*record
	}
}

// of returns the record of a KubevirtConfig: a new one where it is another object of the same name.
func (r *records) of(config *vitistackv1alpha1.KubevirtConfig) *record {
	r.locked.Lock()
	defer r.locked.Unlock()
	key := client.ObjectKeyFromObject(config)
	if known, found := r.locked.byKey[key]; found && known.uid == config.UID {
		return known
	}
	if r.locked.byKey == nil {
		r.locked.byKey = map[client.ObjectKey]*record{}
	}
	fresh := &record{uid: config.UID}
	r.locked.byKey[key] = fresh
	return fresh
}

func (r *records) forget(key client.ObjectKey) {
	r.locked.Lock()
	defer r.locked.Unlock()
	delete(r.locked.byKey, key)
}
