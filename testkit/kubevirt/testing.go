package kubevirt

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// New starts KubeVirt on a cluster for a test and stops it when the test ends. It fails the test
// where Start would return an error.
func New(t testing.TB, cluster *controlplane.Cluster, options Options) *Stack {
	t.Helper()
	s, err := Start(t.Context(), cluster, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stopping KubeVirt on %s: %v", cluster.Name(), err)
		}
	})
	return s
}
