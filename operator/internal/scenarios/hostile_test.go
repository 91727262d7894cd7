package scenarios

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// maxGrowth is by how much the operator's resident set may grow, in MiB, whatever clusters send.
const maxGrowth = 200

// served is what a cluster with KubeVirt has that the operator caches.
var served = []hostile.Resource{
	{Group: "kubevirt.io", Version: "v1", Plural: "virtualmachines", Kind: "VirtualMachine"},
	{Group: "kubevirt.io", Version: "v1", Plural: "virtualmachineinstances", Kind: "VirtualMachineInstance"},
	{Group: "cdi.kubevirt.io", Version: "v1beta1", Plural: "datavolumes", Kind: "DataVolume"},
}

// TestHostileClusters: clusters that send too much, two at once, cost the operator little memory,
// and Machines of another cluster are served meanwhile.
func TestHostileClusters(t *testing.T) {
	ns := namespace(t, "hostile")
	binary := filepath.Join(t.TempDir(), "operator") // a race detector's memory is not the operator's
	if err := operator.Build(binary, "../.."); err != nil {
		t.Fatal(err)
	}
	p := startBinary(t, binary, nil)
	serve(t, p, ns, "calm")
	rest := p.residentMiB(t)
	for _, manner := range []string{"endless", "bomb", "empties", "deep"} {
		for _, steps := range [][]hostile.Step{{hostile.Identity, hostile.Discover}, {hostile.Fill, hostile.Watch}} {
			t.Run(fmt.Sprintf("%s at %s and %s", manner, steps[0], steps[1]), func(t *testing.T) {
				be, err := hostile.Named(manner)
				if err != nil {
					t.Fatal(err)
				}
				peak := p.peakMiB(t)
				for _, step := range steps {
					defer turn(t, manner+"-"+string(step), step, be)()
				}
				serve(t, p, ns, strings.ToLower(manner+"-"+string(steps[0])))
				most := peak(5 * time.Second)
				t.Logf("%d MiB at rest, at most %d", rest, most)
				if most-rest > maxGrowth {
					t.Errorf("the operator grew by %d MiB, from %d", most-rest, rest)
				}
			})
		}
	}
}

// turn makes a server one of the clusters that is hostile in one step; end takes it away again. No name
// comes twice: the operator may still be letting go of the one before.
func turn(t *testing.T, name string, step hostile.Step, be hostile.Manner) (end func()) {
	t.Helper()
	server := hostile.New("uid-"+name, served...)
	if step != hostile.Watch {
		server.Be(step, be)
	}
	leave := join(t, "hostile-"+name, server)
	if step == hostile.Watch {
		eventually(t, patience, func() string { return notAsked(server, hostile.Fill, len(served)) })
		server.Be(step, be)
	}
	return func() {
		t.Helper()
		leave()
		server.Close()
	}
}

// serve makes a Machine in cluster-east and waits until it runs. A Machine that was made before the
// operator's watch of the supervisor broke waits for all clusters, the hostile ones too, as it must: then,
// and only then, the next Machine is to be served.
func serve(t *testing.T, p *program, ns, name string) {
	t.Helper()
	for try := 0; ; try++ {
		breaks, why := strings.Count(p.read(t), wake.Broken), ""
		m := machine(ns, fmt.Sprintf("%s-%d", name, try), "cluster-east")
		create(t, m)
		err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true,
			func(context.Context) (bool, error) { why = notRunning(t, m, "cluster-east"); return why == "", nil })
		if err == nil {
			return
		}
		if try == 2 || strings.Count(p.read(t), wake.Broken) == breaks {
			t.Fatal(why)
		}
		t.Logf("the watch of the supervisor broke; not served in %s: %s", patience, why)
	}
}

// join makes a server one of the clusters; leave takes it away again.
func join(t *testing.T, name string, server *hostile.Server) (leave func()) {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: name}
	objects := []client.Object{
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: server.Kubeconfig()}},
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta,
			Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: name, KubeconfigSecretRef: name}},
	}
	for _, object := range objects {
		create(t, object)
	}
	return func() {
		t.Helper()
		for _, object := range objects {
			if err := supervisor().Delete(context.WithoutCancel(t.Context()), object); err != nil {
				t.Error(err)
			}
		}
	}
}

func notAsked(server *hostile.Server, step hostile.Step, times int) string {
	if asked := server.Asked(step); asked < times {
		return fmt.Sprintf("asked %d times for %s", asked, step)
	}
	return ""
}

// peakMiB returns a function that watches on for a while, and then returns the largest resident set
// since.
func (p *program) peakMiB(t *testing.T) func(time.Duration) int {
	t.Helper()
	most, done := 0, make(chan struct{})
	watching, stop := context.WithCancel(t.Context()) // also where the test fails
	go func() {
		defer close(done)
		for ticker := time.NewTicker(20 * time.Millisecond); ; {
			most = max(most, p.residentMiB(t))
			select {
			case <-watching.Done():
				ticker.Stop()
				return
			case <-ticker.C:
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return func(on time.Duration) int {
		time.AfterFunc(on, stop)
		<-done
		return most
	}
}

// residentMiB is what the operator holds in memory.
func (p *program) residentMiB(t *testing.T) int {
	t.Helper()
	resident := fleet.ResidentMiB(p.cmd.Process.Pid)
	if resident == 0 {
		t.Error("the operator has ended")
	}
	return resident
}
