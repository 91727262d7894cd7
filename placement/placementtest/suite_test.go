package placementtest_test

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
)

func TestExplicit(t *testing.T) { placementtest.Run(t, placement.Explicit{}) }
