package growth

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	_ "github.com/vitistack/kubevirt-multicluster/operator/internal/app" // what is built below: a verdict is its own
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale"
)

const (
	// few and many clusters are compared.
	few, many = 2, 20
	// machines are created twice.
	machines = 20
	// noise is how far counts may be apart: Machines wait for each other's books, and clusters connect
	// one after the other. A product would set them as far apart as few and many.
	noise = 1.75
)

// seen are the counts after each step of one World.
type seen struct {
	first, second scale.Counts // after so many Machines, and as many more
	restarted     scale.Counts // passes begin anew
}

// TestGrowth counts with few clusters and with many: what a Machine costs must be the same.
func TestGrowth(t *testing.T) {
	log.SetLogger(logr.Discard())
	binary := filepath.Join(t.TempDir(), "operator")
	must(t, operator.Build(binary, "../.."))
	small, large := observe(t, binary, few), observe(t, binary, many)
	for name, each := range map[string]struct {
		reason       string
		small, large int
	}{
		"passes of a second lot of Machines": {
			reason: "looks at a Machine must not grow with the clusters that it is not in",
			small:  small.second.Passes - small.first.Passes, large: large.second.Passes - large.first.Passes,
		},
		"calls to the supervisor for a second lot": {
			reason: "what is written about a Machine has nothing to do with other clusters",
			small:  small.second.Supervisor - small.first.Supervisor, large: large.second.Supervisor - large.first.Supervisor,
		},
		"calls to the clusters for a second lot": {
			reason: "a Machine that was seen being created is looked for in its own cluster alone",
			small:  small.second.Remote - small.first.Remote, large: large.second.Remote - large.first.Remote,
		},
		"passes after a restart": {
			reason: "a cluster that connects wakes its own Machines alone",
			small:  small.restarted.Passes, large: large.restarted.Passes,
		},
		"calls to the clusters after a restart": {
			reason: "Machines that have a record are not looked for anywhere",
			small:  small.restarted.Remote - small.second.Remote, large: large.restarted.Remote - large.second.Remote,
		},
	} {
		t.Logf("%s: %d with %d clusters, %d with %d", name, each.small, few, each.large, many)
		if float64(each.large) > noise*float64(each.small) {
			t.Errorf("%s: %s: %d with %d clusters, %d with %d", name, each.reason, each.small, few, each.large, many)
		}
	}
	perMachine(t, small)
	perMachine(t, large)
}

// perMachine holds that a second lot of Machines costs what the first one did, and no goroutines.
func perMachine(t *testing.T, s seen) {
	t.Helper()
	second := s.second.Passes - s.first.Passes
	if float64(second) > noise*float64(s.first.Passes) {
		t.Errorf("%d Machines took %d passes, and as many more took %d", machines, s.first.Passes, second)
	}
	if more := s.second.Goroutines - s.first.Goroutines; more >= machines {
		t.Errorf("%d more Machines took %d more goroutines", machines, more)
	}
}

// observe counts with a number of clusters.
func observe(t *testing.T, binary string, clusters int) (s seen) {
	t.Helper()
	plugins, err := filepath.Abs("../../../bin/plugins")
	must(t, err)
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil {
		t.Fatalf("the placement plugins are missing, run `make tools`: %v", err)
	}
	world, err := scale.Start(t.Context(), scale.Options{
		Clusters: clusters, Operator: binary, Args: []string{"--plugin-dir=" + plugins}, Audit: true,
	})
	must(t, err)
	defer func() { must(t, world.Stop()) }()
	count := func() scale.Counts {
		counts, err := world.Counts(t.Context())
		must(t, err)
		return counts
	}
	// The first ones find clusters that are not connected yet, and namespaces that are not made.
	must(t, world.Grow(t.Context(), many))
	before := count()
	must(t, world.Grow(t.Context(), machines))
	s.first = count()
	must(t, world.Grow(t.Context(), machines))
	s.second = count()
	must(t, world.Restart(t.Context()))
	s.restarted = count()
	s.first.Passes -= before.Passes
	s.second.Passes -= before.Passes
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
