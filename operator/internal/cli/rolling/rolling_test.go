package rolling

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// scene is a supervisor without an operator: what the operator would say is written by the test.
type scene struct {
	*testing.T
	client.Client
	kubeconfig string
}

func newScene(t *testing.T) scene {
	t.Helper()
	supervisor := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	dir := t.TempDir()
	for name, content := range crds.YAML() {
		must(t, os.WriteFile(filepath.Join(dir, name+".yaml"), content, 0o600))
	}
	definitions := envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true}
	_, err := envtest.InstallCRDs(supervisor.Config(), definitions)
	must(t, err)
	scheme, err := app.NewScheme()
	must(t, err)
	admin, err := client.New(supervisor.Config(), client.Options{Scheme: scheme})
	must(t, err)
	content, err := supervisor.KubeconfigFor(controlplane.Admin)
	must(t, err)
	s := scene{T: t, Client: admin, kubeconfig: filepath.Join(dir, "kubeconfig")}
	must(t, os.WriteFile(s.kubeconfig, content, 0o600))
	for _, name := range []string{"kubevirt-configs", "team-a"} {
		must(t, admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	for name, class := range map[string]string{"web": "medium", "db": "large"} {
		must(t, admin.Create(t.Context(), &vitistackv1alpha1.Machine{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name, Labels: map[string]string{"tier": name}},
			Spec:       vitistackv1alpha1.MachineSpec{MachineClass: class},
		}))
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call runs one command and wants its exit code and words.
func (s scene) call(code int, words string, args ...string) {
	s.Helper()
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Command())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(append([]string{"rollout"}, args...), "--kubeconfig", s.kubeconfig,
		"--configs-namespace", "kubevirt-configs"))
	err := root.ExecuteContext(s.Context())
	text := out.String() + exit.Text(err)
	for word := range strings.SplitSeq(words, "|") {
		if !strings.Contains(text, word) {
			s.Errorf("%v does not say %q:\n%s", args, word, text)
		}
	}
	if got := exit.Code(err); got != code {
		s.Errorf("%v ends with %d, want %d:\n%s", args, got, code, text)
	}
}

func (s scene) read(namespace, name string) *vitistackv1alpha1.MachineRollout {
	s.Helper()
	rollout := &vitistackv1alpha1.MachineRollout{}
	must(s.T, s.Get(s.Context(), client.ObjectKey{Namespace: namespace, Name: name}, rollout))
	return rollout
}

// says writes what the operator would say.
func (s scene) says(rollout *vitistackv1alpha1.MachineRollout, status vitistackv1alpha1.MachineRolloutStatus) {
	s.Helper()
	before := rollout.DeepCopy()
	rollout.Status = status
	rollout.Status.ObservedGeneration = rollout.Generation
	must(s.T, s.Status().Patch(s.Context(), rollout, client.MergeFrom(before)))
}

// TestCommands goes through the verbs on an API server. It takes half a minute.
func TestCommands(t *testing.T) {
	s := newScene(t)
	s.call(2, "which Machines?", "restart")
	s.call(2, "which Machines?", "restart", "--all", "--class", "medium")
	s.call(2, "want one of them", "restart", "--all", "-A", "-n", "team-a")
	s.call(2, "want a number or a share", "restart", "--all", "--max-unavailable", "some")
	s.call(2, "--selector", "restart", "--selector", "a in")
	s.call(2, "want NAME=VALUE", "restart", "--all", "--healthy-annotation", "ready")
	s.call(1, "there is no such Machine", "restart", "-n", "team-a", "--selector", "tier=none")
	s.call(1, "there is no such Machine", "restart", "--all", "-n", "default")
	s.call(2, "there is no MachineRollout none", "status", "team-a/none")

	s.call(0, "is made: it chooses among 1 Machines|status team-a/web --watch", "restart", "-n", "team-a", "-l", "tier=web",
		"--name", "web", "--max-unavailable", "20%", "--deadline", "5m", "--min-ready", "30s", "--needed", "--order", "Name",
		"--healthy-annotation", "example.com/node=Ready", "--healthy-condition", "NodeReady", "--pause-on-failure=false")
	spec := s.read("team-a", "web").Spec
	if spec.Action != vitistackv1alpha1.RolloutRestart || spec.Selector.MatchLabels["tier"] != "web" ||
		spec.MaxUnavailable.String() != "20%" || spec.Deadline.Duration != 5*time.Minute || spec.MinReadySeconds != 30 ||
		spec.Which != vitistackv1alpha1.RolloutNeeded || spec.Order != vitistackv1alpha1.RolloutByName ||
		*spec.PauseOnFailure ||
		spec.Healthy.Annotation.Name != "example.com/node" || spec.Healthy.Annotation.Value != "Ready" ||
		spec.Healthy.ConditionType != "NodeReady" {
		t.Errorf("it asks for %+v", spec)
	}
	s.call(0, "among 1 Machines", "resize", "-A", "--class", "large", "--to", "medium", "--name", "smaller")
	if spec := s.read("kubevirt-configs", "smaller").Spec; spec.Action != vitistackv1alpha1.RolloutResize || !spec.AllNamespaces ||
		spec.Class != "large" || spec.Resize.Class != "medium" {
		t.Errorf("it asks for %+v", spec)
	}
	s.call(0, "does an operator run?", "status", "team-a/web")
	s.call(0, "begins no further Machine", "pause", "team-a/web")
	s.call(0, "goes on", "resume", "team-a/web")
	if s.read("team-a", "web").Spec.Paused {
		t.Error("it is still paused")
	}
	rollout := s.read("team-a", "web")
	s.says(rollout, vitistackv1alpha1.MachineRolloutStatus{Phase: vitistackv1alpha1.RolloutPaused, Total: 3, Updated: 1,
		Unavailable: 1,
		InFlight:    []vitistackv1alpha1.RolloutInFlight{{Machine: "team-a/web", UID: "u", Since: metav1.Now()}},
		Stays: []vitistackv1alpha1.RolloutLeft{{Machine: "team-a/web", Reason: "NotHealthyInTime",
			Message: "it is not healthy again"}},
		Conditions: []metav1.Condition{{Type: vitistackv1alpha1.ConditionReady, Status: metav1.ConditionFalse,
			Reason: "NotHealthyInTime", Message: "no further Machine begins", LastTransitionTime: metav1.Now()}},
	})
	s.call(1, "Paused  1 of 3 done, 1 under way, 1 not healthy|NotHealthyInTime: no further Machine begins|… team-a/web|✗ team-a/web",
		"status", "team-a/web", "--watch")
	s.call(0, "is given up", "abort", "web", "-n", "team-a")
	if rollout = s.read("team-a", "web"); !rollout.Spec.Abort {
		t.Error("it is not given up")
	}
	s.says(rollout, vitistackv1alpha1.MachineRolloutStatus{Phase: vitistackv1alpha1.RolloutSucceeded, Total: 3,
		Updated: 3})
	s.call(0, "Succeeded  3 of 3 done", "status", "team-a/web", "--watch")
	s.call(1, "is over: Succeeded", "pause", "team-a/web")
}
