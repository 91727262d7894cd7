package v1alpha1

import (
	"slices"
	"strings"
)

// maxFormerClusterUIDs bounds the annotation AnnotationFormerClusterUIDs. The oldest identities are
// dropped beyond it.
const maxFormerClusterUIDs = 16

// FormerClusterUIDs returns the identities that a KubevirtConfig stood for before, the oldest
// first. It reads the annotation AnnotationFormerClusterUIDs and does no I/O.
func FormerClusterUIDs(config *KubevirtConfig) []string {
	var uids []string
	for uid := range strings.SplitSeq(config.Annotations[AnnotationFormerClusterUIDs], ",") {
		if uid = strings.TrimSpace(uid); uid != "" && !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
	}
	return uids
}

// WithFormerClusterUID returns the value of AnnotationFormerClusterUIDs after a KubevirtConfig that
// stood for the cluster former begins to stand for the cluster now. An identity that comes back is
// no longer a former one. At most 16 are kept. config is not changed.
func WithFormerClusterUID(config *KubevirtConfig, former, now string) string {
	uids := slices.DeleteFunc(FormerClusterUIDs(config), func(uid string) bool { return uid == former || uid == now })
	if former != "" && former != now {
		uids = append(uids, former)
	}
	return strings.Join(uids[max(0, len(uids)-maxFormerClusterUIDs):], ",")
}
