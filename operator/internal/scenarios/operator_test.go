package scenarios

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// pluginDir is where `make tools` puts the placement plugins. Without them every Machine would
// wait.
const pluginDir = "../../../bin/plugins"

// unbraked keeps the deletions of one test from holding those of the next: all share one fleet. Tests
// of the brake say otherwise.
const unbraked = "--deletion-brake=off"

// program is the operator, running.
type program struct {
	binary string
	cmd    *exec.Cmd
	log    string
	args   []string
	env    []string
}

// startOperator starts the operator for one test. When the test ends it is stopped, and must not
// have met a data race.
func startOperator(t *testing.T, env ...string) *program {
	t.Helper()
	return startWith(t, nil, env...)
}

// startWith starts an operator with more arguments. The last of an argument that is given twice
// counts.
func startWith(t *testing.T, args []string, env ...string) *program {
	t.Helper()
	return startBinary(t, world.binary, args, env...)
}

// startBinary is startWith for a build of the operator.
func startBinary(t *testing.T, binary string, args []string, env ...string) *program {
	t.Helper()
	if _, err := os.Stat(filepath.Join(pluginDir, "SHA256SUMS")); err != nil {
		t.Fatalf("the placement plugins are missing: run `make tools`: %v", err)
	}
	plugins, err := filepath.Abs(pluginDir)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{
		binary: binary,
		log:    filepath.Join(t.TempDir(), "operator.log"),
		args: append([]string{"--kubeconfig=" + world.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
			"--plugin-dir=" + plugins, unbraked}, args...),
		env: append([]string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}, env...),
	}
	p.start(t)
	t.Cleanup(func() { p.end(t) })
	return p
}

// end stops the operator, where it runs, and looks what it has to tell.
func (p *program) end(t *testing.T) {
	t.Helper()
	p.stop(t, syscall.SIGTERM)
	content := p.read(t)
	if at := strings.Index(content, "WARNING: DATA RACE"); at >= 0 {
		t.Errorf("the operator has a data race:\n%s", content[at:min(len(content), at+4000)])
	}
	if t.Failed() {
		t.Logf("the operator's log ends with:\n%s", content[max(0, len(content)-6000):])
	}
}

// read returns what the operator has logged.
func (p *program) read(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

func (p *program) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(p.binary, p.args...)
	p.cmd.Env = p.env
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *program) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	err := p.cmd.Wait()
	p.cmd = nil
	if signal == syscall.SIGTERM && err != nil {
		t.Errorf("the operator ended with %v", err)
	}
}

// restart kills the operator, as a crash would, and starts it again.
func (p *program) restart(t *testing.T) {
	t.Helper()
	p.stop(t, syscall.SIGKILL)
	p.start(t)
}

// command runs a command of the operator's as an administrator, and returns what it prints.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), world.binary,
		append(args, "--kubeconfig="+world.fleet.Supervisor.Kubeconfig())...)
	cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// remove deletes an object of the supervisor, once.
func remove(t *testing.T, object client.Object) {
	t.Helper()
	if err := supervisor().Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// annotate sets an annotation of a Machine.
func annotate(t *testing.T, of *vitistackv1alpha1.Machine, key, value string) {
	t.Helper()
	m := read(t, of)
	before := m.DeepCopy()
	metav1.SetMetaDataAnnotation(&m.ObjectMeta, key, value)
	if err := supervisor().Patch(t.Context(), m, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// notGone says that a Machine is still there.
func notGone(t *testing.T, of *vitistackv1alpha1.Machine) string {
	t.Helper()
	if m := read(t, of); m != nil {
		return fmt.Sprintf("%s is still there: %+v", m.Name, m.Status.Conditions)
	}
	return ""
}

// namespace makes a namespace for one test in the supervisor. The operator makes it in the remote
// clusters.
func namespace(t *testing.T, name string) string {
	t.Helper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := supervisor().Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	return name
}

func supervisor() client.Client { return world.fleet.Supervisor.Client() }

// machine is a Machine that asks for a cluster; "" asks for none.
func machine(namespace, name, config string) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
	if config != "" {
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config}
	}
	return m
}

func create(t *testing.T, object client.Object) {
	t.Helper()
	if err := supervisor().Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// read returns the Machine as it is now, or nil if it is gone.
func read(t *testing.T, of *vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	t.Helper()
	m := &vitistackv1alpha1.Machine{}
	err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(of), m)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// virtualMachines are those of a namespace, by cluster.
func virtualMachines(t *testing.T, namespace string) map[string][]kubevirtv1.VirtualMachine {
	t.Helper()
	all := map[string][]kubevirtv1.VirtualMachine{}
	for _, remote := range world.fleet.Remotes {
		list := &kubevirtv1.VirtualMachineList{}
		if err := world.remote[remote.Name].List(t.Context(), list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			all[remote.Name] = list.Items
		}
	}
	return all
}

// eventually waits until what answers "", and fails with its last answer.
func eventually(t *testing.T, timeout time.Duration, what func() string) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, timeout, true,
		func(context.Context) (bool, error) {
			last = what()
			return last == "", nil
		})
	if err != nil {
		t.Fatalf("after %s: %s", timeout, last)
	}
}
