package moving

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
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
	must(t, admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kubevirt-configs"}}))
	for _, name := range []string{"east", "west"} {
		must(t, admin.Create(t.Context(), &vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt-configs", Name: name},
			Spec:       vitistackv1alpha1.KubevirtConfigSpec{KubeconfigSecretRef: name},
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

// machine makes a Machine that is placed in a cluster, "" for none.
func (s scene) machine(name, config string) {
	s.Helper()
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	if config != "" {
		ledger := vitistackv1alpha1.Ledger{Config: config, Namespace: "default", VMName: "vm-" + name, Nonce: "n"}
		machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
	}
	must(s.T, s.Create(s.Context(), machine))
}

// call runs one command and wants its exit code and words.
func (s scene) call(code int, words string, args ...string) {
	s.Helper()
	text, got := s.run(s.Context(), args...)
	for word := range strings.SplitSeq(words, "|") {
		if !strings.Contains(text, word) {
			s.Errorf("%v does not say %q:\n%s", args, word, text)
		}
	}
	if got != code {
		s.Errorf("%v ends with %d, want %d:\n%s", args, got, code, text)
	}
}

func (s scene) run(ctx context.Context, args ...string) (text string, code int) {
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(MachineCommands()...)
	root.AddCommand(ClusterCommands()...)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(args, "--kubeconfig", s.kubeconfig))
	err := root.ExecuteContext(ctx)
	return out.String() + exit.Text(err), exit.Code(err)
}

func (s scene) moves() []vitistackv1alpha1.MachineMove {
	s.Helper()
	all := &vitistackv1alpha1.MachineMoveList{}
	must(s.T, s.List(s.Context(), all))
	return all.Items
}

// says writes what the operator would say of a move.
func (s scene) says(
	move *vitistackv1alpha1.MachineMove, phase vitistackv1alpha1.MovePhase, reason string, stalled metav1.ConditionStatus,
) {
	s.Helper()
	before := move.DeepCopy()
	begun := metav1.NewTime(time.Now().Add(-time.Minute))
	move.Status = vitistackv1alpha1.MachineMoveStatus{Phase: phase, From: "east", To: "west", Bytes: 4 << 30, Copied: 1 << 30,
		Progress: "1 of 4 GiB",
		Steps: []vitistackv1alpha1.MoveStep{
			{Phase: vitistackv1alpha1.MovePhaseStopping, StartedAt: begun, EndedAt: &metav1.Time{Time: begun.Add(40 * time.Second)}},
			{Phase: vitistackv1alpha1.MovePhaseCopying, StartedAt: metav1.Now()},
		},
		Disks: []vitistackv1alpha1.MoveDisk{{Name: "root", Claim: "vm-web-root", Bytes: 4 << 30, Copied: 1 << 30,
			Phase: "ImportInProgress"}},
	}
	for _, kind := range []string{vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ConditionStalled} {
		condition := metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: "as the operator says",
			ObservedGeneration: move.Generation, LastTransitionTime: metav1.Now()}
		if kind == vitistackv1alpha1.ConditionStalled {
			condition.Status = stalled
		}
		move.Status.Conditions = append(move.Status.Conditions, condition)
	}
	must(s.T, s.Status().Patch(s.Context(), move, client.MergeFrom(before)))
}

// TestCommands goes through the verbs on an API server. It takes half a minute.
func TestCommands(t *testing.T) {
	s := newScene(t)
	s.machine("web", "east")
	s.machine("new", "")
	t.Run("move", s.with(moveVerb))
	t.Run("watch", s.with(watchVerb))
	t.Run("cordon", s.with(cordonVerb))
	t.Run("drain", s.with(drainVerb))
}

func (s scene) with(part func(scene)) func(*testing.T) {
	return func(t *testing.T) {
		s.T = t
		part(s)
	}
}

func moveVerb(s scene) {
	s.call(2, "--to CLUSTER, or --anywhere", "move", "web")
	s.call(2, "want one of them", "move", "web", "--to", "west", "--anywhere")
	s.call(2, "want Source or Target", "move", "web", "--keep", "both")
	s.call(2, "leave --to", "move", "web", "--to", "west", "--abort")
	s.call(2, "want one of copy, export, start, stop", "move", "web", "--to", "west", "--timeout", "tea=5m")
	s.call(2, "want a duration", "move", "web", "--to", "west", "--timeout", "copy=long")
	s.call(2, "there is no cluster moon; there are east, west", "move", "web", "--to", "moon")
	s.call(2, "there is no Machine nobody", "move", "nobody", "--to", "west")
	s.call(1, "has no place", "move", "new", "--to", "west")
	s.call(1, "no move of Machine default/web is under way", "move", "web", "--abort")
	s.call(0, "is in east already", "move", "web", "--to", "east")
	s.call(0, "No move is under way.", "moves")

	s.call(0, "goes from east to west|--watch shows", "move", "web", "--to", "west", "--timeout", "copy=1h,stop=10m")
	s.call(0, "is under way already", "move", "default/web", "--to", "west")
	s.call(1, "--abort, or wait", "move", "web", "--to", "east")
	moves := s.moves()
	if len(moves) != 1 || !strings.HasPrefix(moves[0].Name, "web-to-west-") {
		s.Fatalf("want one move, there are %+v", moves)
	}
	spec := moves[0].Spec
	if spec.To != "west" || spec.MachineName != "web" || spec.Timeouts.Copy.Duration != time.Hour ||
		spec.Timeouts.Stop.Duration != 10*time.Minute || spec.Timeouts.Start != nil {
		s.Errorf("it asks for %+v", spec)
	}
	s.call(0, "default/web|Pending", "moves")
	s.call(0, "the copy of the target counts", "move", "web", "--keep", "Target")
	s.call(0, "is given up", "move", "web", "--abort")
	if spec := s.moves()[0].Spec; !spec.Abort || spec.Keep != vitistackv1alpha1.MoveSideTarget {
		s.Errorf("it asks for %+v", spec)
	}
	must(s.T, s.Delete(s.Context(), &moves[0]))
}

func watchVerb(s scene) {
	s.call(0, "the cluster that it fits best", "move", "web", "--anywhere")
	move := &s.moves()[0]
	s.says(move, vitistackv1alpha1.MovePhaseCopying, vitistackv1alpha1.ReasonCopying, metav1.ConditionFalse)
	ctx, cancel := context.WithTimeout(s.Context(), 3*time.Second)
	defer cancel()
	text, code := s.run(ctx, "move", "web", "--watch")
	for _, word := range []string{"Copying  east → west", "✓ Stopping  40s", "… Copying", "root  25 % of 4Gi  ImportInProgress",
		"Copying: as the operator says", "it goes on without you"} {
		if !strings.Contains(text, word) {
			s.Errorf("it does not say %q:\n%s", word, text)
		}
	}
	if code != exit.Partial || strings.Count(text, "MachineMove default/") != 1 {
		s.Errorf("who stops looking is told so, with %d, want 3; a picture is written where it changed:\n%s", code, text)
	}
	s.call(0, "1 of 4 GiB|Copying: as the operator says", "moves")

	s.says(move, vitistackv1alpha1.MovePhaseCopying, vitistackv1alpha1.ReasonSourceStarted, metav1.ConditionTrue)
	s.call(1, "SourceStarted|What to do: stop the source", "move", "web", "--watch")
	s.call(1, "SourceStarted", "moves")

	s.says(move, vitistackv1alpha1.MovePhaseCopying, vitistackv1alpha1.ReasonCopying, metav1.ConditionFalse)
	moved := make(chan string, 1)
	go func() {
		text, code := s.run(s.Context(), "move", "web", "--watch")
		moved <- fmt.Sprint(code, " ", text)
	}()
	s.says(move, vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved, metav1.ConditionFalse)
	select {
	case text := <-moved:
		if !strings.HasPrefix(text, "0 ") && !strings.Contains(text, "no move of Machine") {
			s.Errorf("the end is no end: %s", text)
		}
	case <-time.After(time.Minute):
		s.Error("it goes on after the end")
	}
	s.call(0, "No move is under way.", "moves", "-n", "default")
	s.call(0, "Succeeded", "moves", "--all")
}

func cordonVerb(s scene) {
	s.call(2, "there is no cluster moon", "cordon", "moon")
	s.call(0, "east now takes no new Machines (spec.paused was false)", "cordon", "east")
	s.call(0, "already takes no new Machines (spec.paused was true)", "cordon", "east")
	s.call(0, "now takes new Machines (spec.paused was true)", "uncordon", "east")
	s.call(0, "already takes new Machines (spec.paused was false)", "uncordon", "east")
}

func drainVerb(s scene) {
	s.call(2, "there is no cluster moon", "drain", "moon")
	s.call(2, "want a number or a share", "drain", "east", "--max-unavailable", "some")
	s.call(2, "--selector", "drain", "east", "--selector", "a in")
	s.call(2, "want one of them", "drain", "east", "--pause", "--resume")
	s.call(1, "is not being emptied", "drain", "east", "--end")
	s.call(1, "is not being emptied", "drain", "east", "--pause")

	s.call(0, "now takes no new Machines|is made", "drain", "east", "--max-in-flight", "2", "--max-unavailable", "20%",
		"-l", "tier=web")
	s.call(0, "already takes no new Machines|is there already", "drain", "east")
	evacuation := &vitistackv1alpha1.Evacuation{}
	key := client.ObjectKey{Namespace: "kubevirt-configs", Name: "east"}
	read := func() vitistackv1alpha1.EvacuationSpec {
		s.Helper()
		must(s.T, s.Get(s.Context(), key, evacuation))
		return evacuation.Spec
	}
	if spec := read(); spec.Config != "east" || spec.MaxInFlight != 2 || spec.MaxUnavailable.String() != "20%" ||
		spec.Selector.MatchLabels["tier"] != "web" || spec.Paused {
		s.Errorf("it asks for %+v", spec)
	}
	s.call(0, "is changed", "drain", "east", "--pause")
	if spec := read(); !spec.Paused || spec.MaxInFlight != 2 {
		s.Errorf("it asks for %+v", spec)
	}
	s.call(0, "is changed", "drain", "east", "--resume", "--max-in-flight", "8")
	if spec := read(); spec.Paused || spec.MaxInFlight != 8 || spec.MaxUnavailable == nil {
		s.Errorf("it asks for %+v", spec)
	}
	s.call(0, "Machines are still moved away", "uncordon", "east")

	status := func(change func(*vitistackv1alpha1.EvacuationStatus)) {
		s.Helper()
		before := evacuation.DeepCopy()
		evacuation.Status = vitistackv1alpha1.EvacuationStatus{ObservedGeneration: evacuation.Generation, Total: 5, Moved: 3,
			Left: 2}
		change(&evacuation.Status)
		must(s.T, s.Status().Patch(s.Context(), evacuation, client.MergeFrom(before)))
	}
	read()
	status(func(s *vitistackv1alpha1.EvacuationStatus) {
		s.Phase = vitistackv1alpha1.EvacuationIncomplete
		s.Stays = []vitistackv1alpha1.EvacuationLeft{{Machine: "team-a/gpu", Reason: "CannotMove", Message: "a host device"}}
	})
	s.call(1, "Incomplete  3 of 5 moved, 0 under way, 2 left|✗ team-a/gpu  CannotMove  a host device",
		"drain", "east", "--watch")
	status(func(s *vitistackv1alpha1.EvacuationStatus) {
		s.Phase, s.Left, s.Moved = vitistackv1alpha1.EvacuationSucceeded, 0, 5
	})
	s.call(0, "Succeeded  5 of 5 moved", "drain", "east", "--watch")

	for name, phase := range map[string]vitistackv1alpha1.MovePhase{"a": vitistackv1alpha1.MovePhasePending,
		"b": vitistackv1alpha1.MovePhaseCopying} {
		move := &vitistackv1alpha1.MachineMove{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name,
			Labels: map[string]string{vitistackv1alpha1.LabelEvacuation: string(evacuation.UID)}}}
		move.Spec.MachineName = name
		must(s.T, s.Create(s.Context(), move))
		s.says(move, phase, vitistackv1alpha1.ReasonCopying, metav1.ConditionFalse)
	}
	s.call(0, "1 moves under way go on|uncordon east", "drain", "east", "--end")
	eventually.Eventually(s.T, time.Minute, "the Evacuation is gone", func(ctx context.Context) error {
		err := s.Get(ctx, key, evacuation)
		if err == nil {
			return errors.New("it is there")
		}
		return client.IgnoreNotFound(err)
	})
	for _, move := range s.moves() {
		if want := move.Name == "a"; move.Status.Phase != vitistackv1alpha1.MovePhaseSucceeded && move.Spec.Abort != want {
			s.Errorf("MachineMove %s is given up: %t, want %t", move.Name, move.Spec.Abort, want)
		}
	}
}
