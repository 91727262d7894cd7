package firstday

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// canary is a secret that must not be found in a report.
const canary = "canary-2b71e0d4"

// TestMachine asks about one Machine in every way, and stops and starts it.
func TestMachine(t *testing.T) {
	startOperator(t)
	web := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "web", Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: west},
		},
		Spec: vitistackv1alpha1.MachineSpec{
			InstanceType: "small",
			CloudInit: &vitistackv1alpha1.MachineCloudInit{
				UserData: "#cloud-config\npassword: " + canary + "\n",
			},
		},
	}
	lost := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "lost",
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: "cluster-nowhere"},
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
	for _, object := range []client.Object{
		web, lost,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "canary"},
			StringData: map[string]string{"password": canary},
		},
	} {
		if err := supervisor().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	reaches(t, web, vitistackv1alpha1.MachinePhaseRunning)
	reaches(t, lost, vitistackv1alpha1.MachinePhaseFailed)

	t.Run("status", func(t *testing.T) {
		machine(t, "status", "web").says(t, 0, "Machine default/web  Running", "✓ ", "Place  cluster-west, by strategy annotation",
			"VirtualMachine  default/vm-web", "disk  root", "interface  default", "Events", "--remote-kubeconfig")
		machine(t, "status", "default/web", "--remote-kubeconfig", kubeconfigOf(t, west)).says(t, 0, "Machine default/web  Running")
		machine(t, "status", "lost").says(t, 1, "✗ Placed: ConfigNotFound", "none yet; kubectl machine why default/lost")
		machine(t, "status", "nobody").says(t, 2, "there is no Machine nobody in namespace default")
		few := userOf(t, fleet.Supervisor, "few", rule("vitistack.io", []string{"machines", "kubevirtconfigs"}, "get", "list"))
		called(t, few, "", "status", "web").says(t, 0, "Not shown", "secrets \"cluster-west-kubeconfig\" is forbidden",
			"events is forbidden")
	})
	t.Run("list", func(t *testing.T) {
		machine(t, "list").says(t, 0, "web", "Running", "lost", "Failed")
		machine(t, "list", "--not-ready", "-o", "name").says(t, 1, "default/lost")
		machine(t, "list", "--cluster", west, "-o", "name").says(t, 0, "default/web")
		machine(t, "list", "--cluster", "moon").says(t, 2, "there is no cluster moon")
		machine(t, "list", "-n", "empty").says(t, 0, "No Machines in namespace empty.")
		machine(t, "where", "web").says(t, 0, "cluster-west default/vm-web")
		machine(t, "where", "lost").says(t, 1, "machine default/lost has no place")
	})
	t.Run("why", func(t *testing.T) {
		plugins, err := filepath.Abs("../../../bin/plugins")
		if err != nil {
			t.Fatal(err)
		}
		machine(t, "why", "default/web", "--plugin-dir", plugins).says(t, 0, "It is placed in cluster-west and stays there.")
		undecided := machine(t, "why", "default/lost", "--plugin-dir", plugins)
		undecided.says(t, 1, "It would not be placed until somebody acts.")
		if !strings.HasSuffix(undecided.out, "\n") || undecided.err != "" {
			t.Errorf("the last line of the answer is glued to an error: %q %q", undecided.out, undecided.err)
		}
	})
	t.Run("render", func(t *testing.T) {
		text := "apiVersion: vitistack.io/v1alpha1\nkind: Machine\nmetadata: {name: new}\nspec: {instanceType: medium}\n"
		asked(t, text, "render", "-f", "-", "--against", west).says(t, 3,
			"✅ VirtualMachine vm-new: cluster-west would accept it, as far as its definition tells",
			"spec.template.metadata.labels: unchecked")
	})
	t.Run("orphans", func(t *testing.T) {
		machine(t, "orphans").says(t, 0, "CLUSTER", "VIRTUAL MACHINE")
		machine(t, "debts").says(t, 0, "Nothing is owed to any cluster.")
		machine(t, "orphans", "--configs-namespace", "default").says(t, 2,
			"there is no KubevirtConfig in the namespace default", "there are some in kubevirt-configs")
	})
	t.Run("report", reported)
	t.Run("console", visited)
	t.Run("pause and resume", func(t *testing.T) {
		machine(t, "resume", "web").says(t, 0, "Machine default/web already is not paused")
		machine(t, "pause", "web").says(t, 0, "Machine default/web now is paused")
		machine(t, "pause", "web").says(t, 0, "Machine default/web already is paused")
		machine(t, "stop", "web").says(t, 0, "spec.runStrategy is now Halted")
		eventually.Eventually(t, patience, "the Machine says that it is paused", func(ctx context.Context) error {
			if err := supervisor().Get(ctx, client.ObjectKeyFromObject(web), web); err != nil {
				return err
			}
			for _, each := range web.Status.Conditions {
				if each.Type == vitistackv1alpha1.ConditionReady && each.Reason == vitistackv1alpha1.ReasonPaused {
					return nil
				}
			}
			return fmt.Errorf("it says %+v", web.Status.Conditions)
		})
		machine(t, "where", "web").says(t, 0, west)
		machine(t, "resume", "web").says(t, 0, "Machine default/web now is not paused")
		reaches(t, web, vitistackv1alpha1.MachinePhaseStopped)
		machine(t, "start", "web", "--wait").says(t, 0, "is Running.")
	})
	t.Run("stop and start", func(t *testing.T) {
		machine(t, "stop", "web", "--wait").says(t, 0, "spec.runStrategy is now Halted", "Machine default/web is Stopped.")
		machine(t, "stop", "web").says(t, 0, "has spec.runStrategy Halted already")
		machine(t, "start", "web", "--wait").says(t, 0, "Machine default/web is Running.")
		machine(t, "restart", "web", "--halt").says(t, 0, "spec.runStrategy is now Halted", "is Stopped.", "spec.runStrategy is now Always",
			"is Running.")
		machine(t, "restart", "nobody").says(t, 2, "there is no Machine nobody")
		machine(t, "start", "web", "--run-strategy", "Sometimes").says(t, 2, "want one of")
	})
	for _, m := range []*vitistackv1alpha1.Machine{web, lost} {
		if err := supervisor().Delete(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, m.Name+" is gone", func(ctx context.Context) error {
			err := supervisor().Get(ctx, client.ObjectKeyFromObject(m), m)
			if err == nil {
				return errors.New("it is there")
			}
			return client.IgnoreNotFound(err)
		})
	}
}

// reaches waits for a phase.
func reaches(t *testing.T, m *vitistackv1alpha1.Machine, phase vitistackv1alpha1.MachinePhase) {
	t.Helper()
	eventually.Eventually(t, patience, m.Name+" is "+string(phase), func(ctx context.Context) error {
		if err := supervisor().Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
			return err
		}
		if m.Status.Phase != phase {
			return fmt.Errorf("it is %s: %s", m.Status.Phase, m.Status.Message)
		}
		return nil
	})
}

// reported packs a report, with all rights and with few. The canaries, the tokens of the
// kubeconfigs and their keys are in neither.
func reported(t *testing.T) {
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(west)}
	if err := supervisor().Get(t.Context(), key, secret); err != nil {
		t.Fatal(err)
	}
	_, token, found := strings.Cut(string(secret.Data[vitistackv1alpha1.KubeconfigSecretKey]), "token: ")
	if !found {
		t.Fatal("the kubeconfig has no token: the test would look for nothing")
	}
	token, _, _ = strings.Cut(token, "\n")
	few := userOf(t, fleet.Supervisor, "reporter", rule("vitistack.io", []string{"machines", "kubevirtconfigs"}, "get", "list"))
	for name, tc := range map[string]struct {
		by      string
		files   []string
		missing string
	}{
		"administrator": {
			by: world.fleet.Supervisor.Kubeconfig(), missing: "logs and metrics of the operator",
			files: []string{"about.yaml", "supervisor/machines.yaml", "supervisor/kubevirtconfigs.yaml", "supervisor/version.yaml",
				"remotes/cluster-west/virtualmachines.yaml", "remotes/cluster-west/kubevirts.yaml", "missing.txt"},
		},
		"few rights": {
			by: few, missing: "supervisor: Lease in kubevirt-operator",
			files: []string{"about.yaml", "supervisor/machines.yaml", "missing.txt"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "report.tar.gz")
			called(t, tc.by, "", "report", "-o", path).says(t, 3, "missing: "+tc.missing, path)
			packed := unpacked(t, path)
			for _, each := range tc.files {
				if packed[each] == "" {
					t.Errorf("%s is not in it", each)
				}
			}
			for file, text := range packed {
				for _, secret := range []string{canary, token, base64.StdEncoding.EncodeToString([]byte(canary)),
					base64.StdEncoding.EncodeToString([]byte("#cloud-config\npassword: " + canary))[:48], "PRIVATE KEY"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s has a secret in it", file)
					}
				}
			}
			if !strings.Contains(packed["supervisor/machines.yaml"], "name: web") {
				t.Errorf("the Machine is not in it:\n%s", packed["supervisor/machines.yaml"])
			}
		})
	}
}

// unpacked are the files of a report, by their names below its folder.
func unpacked(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for reader := tar.NewReader(zip); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		all[name] = string(content)
	}
}
