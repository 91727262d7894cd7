package chaos_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/chaos"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// fixedSeed is the one that each `make test` plays.
const fixedSeed = 1

// TestChaos plays a minute of chaos, the same each time.
func TestChaos(t *testing.T) {
	arena := open(t, kubevirt.Light)
	play(t, arena, fixedSeed)
}

// TestLongChaos plays many seeds on one fleet: SEEDS of them, from the one after the fixed seed on.
// With KUBEVIRT_MODE=real the remotes run KubeVirt's own controllers.
func TestLongChaos(t *testing.T) {
	mode := kubevirt.Light
	if os.Getenv("KUBEVIRT_MODE") == "real" {
		mode = kubevirt.Real
	}
	seeds := 10
	if said := os.Getenv("SEEDS"); said != "" {
		var err error
		if seeds, err = strconv.Atoi(said); err != nil || seeds < 1 {
			t.Fatalf("SEEDS is %q: want a number", said)
		}
	}
	arena := open(t, mode)
	done := map[string]int{}
	for i := range seeds {
		for kind, count := range play(t, arena, fixedSeed+1+uint64(i)).Done {
			done[kind] += count
		}
	}
	if seeds < 10 {
		return // too few for every kind
	}
	for _, kind := range chaos.Kinds() {
		if done[kind] == 0 {
			t.Errorf("no step of kind %s could be done", kind)
		}
	}
}

// open builds the programs and starts the fleet.
func open(t *testing.T, mode kubevirt.Mode) *chaos.Arena {
	t.Helper()
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
	options := chaos.Options{
		Operator: filepath.Join(t.TempDir(), "operator"), Liar: filepath.Join(t.TempDir(), "liar"),
		Plugins: "../../bin/plugins", KubeVirt: mode, Progress: t.Output(),
	}
	for binary, source := range map[string]string{options.Operator: "../../operator",
		options.Liar: "../../placement/examples/liar"} {
		if err := operator.Build(binary, source); err != nil {
			t.Fatal(err)
		}
	}
	arena, err := chaos.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := arena.Close(); err != nil {
			t.Errorf("ending the fleet: %v", err)
		}
	})
	return arena
}

// play plays a seed and fails the test for what it broke, or where hardly a step could be done.
func play(t *testing.T, arena *chaos.Arena, seed uint64) chaos.Result {
	t.Helper()
	result, err := arena.Run(t.Context(), chaos.Generate(seed, time.Minute))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, violation := range result.Violations {
		t.Errorf("seed %d (again: bin/chaos --seed %d): %s", seed, seed, violation)
	}
	done := 0
	for _, count := range result.Done {
		done += count
	}
	if len(result.Violations) == 0 && 2*done < len(result.Schedule.Steps) {
		t.Errorf("seed %d: %d of %d steps could be done: %v", seed, done, len(result.Schedule.Steps), result.NotDone)
	}
	return result
}
