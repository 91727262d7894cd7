package cluster

import (
	"context"
	"slices"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
)

// exportGate is the feature gate without which KubeVirt offers no disk to anybody.
const exportGate = "VMExport"

// moveRights are the rights of api/rbac/moves.
func moveRights() ([]right, error) {
	objects, err := decoded(rbac.Moves)
	if err != nil {
		return nil, err
	}
	given, err := rules(objects)
	return rightsOf(given), err
}

// moves says whether Machines can come to the cluster and leave it. Nothing else needs that.
func (s *subject) moves(ctx context.Context) result {
	r := result{what: "moves"}
	missing, err := lacking(ctx, s.remote, s.forMoves)
	if err != nil {
		return r.unclear("%v", err)
	}
	if len(missing) > 0 {
		return r.with(off, "not possible: cluster add --with-moves gives the rights (%s)", strings.Join(missing, ", "))
	}
	gated, err := s.gated(ctx)
	switch {
	case err != nil:
		return r.unclear("%v", err)
	case !gated:
		return r.with(off, "Machines can come; to let them leave, switch KubeVirt's feature gate %s on", exportGate)
	}
	return r.yes("Machines can come, and leave where an Ingress or Route leads to virt-exportproxy")
}

// gated says whether the feature gate is on.
func (s *subject) gated(ctx context.Context) (bool, error) {
	installed := &kubevirtv1.KubeVirtList{}
	if err := s.remote.List(ctx, installed); err != nil {
		return false, err
	}
	for i := range installed.Items {
		developer := installed.Items[i].Spec.Configuration.DeveloperConfiguration
		if developer != nil && slices.Contains(developer.FeatureGates, exportGate) {
			return true, nil
		}
	}
	return false, nil
}
