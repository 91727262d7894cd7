package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestStandbyServes runs the program with its flags, as a replica that does not lead: it has all
// rows, and has measured nothing.
func TestStandbyServes(t *testing.T) {
	const namespace = "kubevirt-operator"
	other, hour, now := "another-replica", int32(3600), metav1.NowMicro()
	must(t, world.fleet.Supervisor.Client().Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: app.DefaultLeaderElectionID},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &other, LeaseDurationSeconds: &hour, AcquireTime: &now,
			RenewTime: &now},
	}))
	port, err := controlplane.FreePort()
	must(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	binary, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "bin", "operator"))
	must(t, err)
	output, err := os.Create(filepath.Join(t.TempDir(), "operator.log"))
	must(t, err)
	defer output.Close()
	program := exec.Command(binary, "--kubeconfig="+world.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
		"--leader-elect", "--leader-election-namespace="+namespace, "--page-bind-address="+address)
	program.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace}
	program.Stdout, program.Stderr = output, output
	if err := program.Start(); err != nil {
		t.Fatalf("run `make tools`: %v", err)
	}
	t.Cleanup(func() {
		must(t, program.Process.Signal(syscall.SIGTERM))
		if err := program.Wait(); err != nil {
			t.Errorf("the operator ends with %v", err)
		}
		if log, err := os.ReadFile(output.Name()); t.Failed() && err == nil {
			t.Logf("its log: %s", log[max(0, len(log)-4000):])
		}
	})
	var shown view.Fleet
	eventually.Eventually(t, patience, "the program serves the page", func(ctx context.Context) (err error) {
		shown, err = fetch(ctx, "http://"+address+"/fleet.json", world.token)
		return err
	})
	if len(shown.Machines) != machineCount || len(shown.Clusters) != len(configNames) {
		t.Errorf("it shows %d Machines and %d clusters", len(shown.Machines), len(shown.Clusters))
	}
	for _, cluster := range shown.Clusters {
		if cluster.Vitals.LatencyMillis != nil || cluster.Connection == "" {
			t.Errorf("a replica that does not lead says %+v", cluster)
		}
	}
	if _, err := fetch(t.Context(), "http://"+address+"/fleet.json", "garbage"); err == nil {
		t.Error("garbage is let in")
	}
}

// fetch gets what the page shows, as a program does.
func fetch(ctx context.Context, url, token string) (view.Fleet, error) {
	var shown view.Fleet
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return shown, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return shown, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return shown, fmt.Errorf("%s answers %s", url, response.Status)
	}
	return shown, json.NewDecoder(response.Body).Decode(&shown)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
