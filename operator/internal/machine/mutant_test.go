package machine_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// mutantEnv makes TestMutant run the model on an operator with that mutant in it.
const mutantEnv = "MACHINE_TEST_MUTANT"

func (m *model) mutate() {
	if mutant := os.Getenv(mutantEnv); mutant != "" {
		m.mutant = []machine.Option{machine.Mutants[mutant]}
	}
}

// TestMutant is run by TestModelFindsMutants, in a process of its own where it may fail.
func TestMutant(t *testing.T) {
	if os.Getenv(mutantEnv) != "" {
		rapid.Check(t, func(r *rapid.T) { runModel(t, r) })
	}
}

// TestModelFindsMutants holds that the model would notice if one of the guards were gone: without,
// it would prove nothing.
func TestModelFindsMutants(t *testing.T) {
	for name := range machine.Mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestMutant$",
				"-rapid.seed", "6", "-rapid.checks", "1000", "-rapid.nofailfile", "-rapid.shrinktime", "1s")
			run.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := run.CombinedOutput()
			found := strings.Contains(string(out), "VirtualMachines: ") ||
				strings.Contains(string(out), "somebody else was touched")
			if err == nil || !found {
				t.Errorf("the model did not notice (%v):\n%s", err, out[max(0, len(out)-2000):])
			}
		})
	}
}
