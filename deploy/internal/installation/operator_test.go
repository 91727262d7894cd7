package installation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/pod"
)

// sidecarUser is who the side-car of testdata/values.yaml is.
const sidecarUser = 65533

// volumes are the sources of what the chart mounts, by its volumes' names.
type volumes map[string]string

// prepareVolumes does what a kubelet and the init container of the chart would.
func prepareVolumes(t *testing.T) volumes {
	t.Helper()
	at := func(name string) string { return filepath.Join(world.dir, "volumes", name) }
	all := volumes{}
	for _, name := range []string{"plugin-labels", "plugin-search", "plugin-sockets", "account", "placement"} {
		all[name] = at(name)
		if err := os.MkdirAll(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, "placement-labels", filepath.Join(at("plugin-labels"), "placement-labels"), 0o555, 0)

	// An emptyDir, which all users may write; the init container makes a folder in it.
	for _, name := range []string{"plugin-search", "plugin-sockets"} {
		if err := os.Chmod(at(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(at("plugin-search"), "search")
	if err := os.MkdirAll(made, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(made, image.User, image.User); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "placement-search", filepath.Join(made, "placement-search"), 0o755, image.User)

	for name, content := range map[string]string{
		"token": token(t, world.supervisorAdmin), "ca.crt": string(world.supervisor.ServingCA()), "namespace": operator,
	} {
		if err := os.WriteFile(filepath.Join(at("account"), name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	placement := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: operator, Name: operator + "-placement"}
	if err := world.supervisorAdmin.Get(t.Context(), key, placement); err != nil {
		t.Fatal(err)
	}
	for name, content := range placement.Data {
		if err := os.WriteFile(filepath.Join(at("placement"), name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func copyFile(t *testing.T, plugin, target string, mode os.FileMode, owner int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(world.programs.Plugins, plugin))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(target); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(target, owner, owner); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, mode); err != nil {
		t.Fatal(err)
	}
}

// digest is the SHA-256 of a plugin, for its entry in the placement configuration.
func digest(t *testing.T, plugin string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(world.programs.Plugins, plugin))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// A process is the operator, or a side-car, with its log.
type process struct {
	*exec.Cmd

	log string
}

func start(t *testing.T, name string, command *exec.Cmd) *process {
	t.Helper()
	log, err := os.CreateTemp(world.dir, name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: command, log: log.Name()}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.said())
		}
	})
	return p
}

// stop ends the process as a kubelet would. It can be called twice.
func (p *process) stop() {
	if p.ProcessState == nil {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait()
	}
}

// said is the end of the log.
func (p *process) said() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-6000):])
}

// startSidecar runs the side-car of testdata/values.yaml as the Deployment says.
func startSidecar(t *testing.T, from volumes) *process {
	t.Helper()
	command := exec.Command(filepath.Join(world.programs.Plugins, "placement-spread"))
	command.Env = []string{"PLACEMENT_SOCKET=" + filepath.Join(from["plugin-sockets"], "spread.sock")}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: sidecarUser, Gid: image.User}}
	return start(t, "sidecar", command)
}

// startOperator runs the image as the container of the Deployment that is in the cluster.
func startOperator(t *testing.T, from volumes) *process {
	t.Helper()
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: operator, Name: operator}
	if err := world.supervisorAdmin.Get(t.Context(), key, deployment); err != nil {
		t.Fatal(err)
	}
	spec := deployment.Spec.Template.Spec
	container := spec.Containers[0]
	host, port, err := net.SplitHostPort(world.supervisor.Addr())
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port, "HOSTNAME=" + operator + "-0"}
	for _, variable := range container.Env {
		env = append(env, variable.Name+"="+variable.Value)
	}
	mounts := []pod.Mount{{Target: "/var/run/secrets/kubernetes.io/serviceaccount", Source: from["account"]}}
	for _, mount := range container.VolumeMounts {
		source := from[mount.Name]
		if mount.SubPath != "" {
			source = filepath.Join(source, mount.SubPath)
		}
		if source == "" && mount.Name != "tmp" {
			t.Fatalf("the test does not know the volume %s", mount.Name)
		}
		mounts = append(mounts, pod.Mount{Target: mount.MountPath, Source: source, Writable: !mount.ReadOnly})
	}
	// Two programs on one machine would want one port.
	args := append(slices.Concat(world.config.Config.Entrypoint, container.Args), "--metrics-bind-address=127.0.0.1:0",
		"--health-probe-bind-address=127.0.0.1:0")
	command, err := pod.Container{
		Root: filepath.Join(world.dir, "root"), Args: args, Env: env, Mounts: mounts,
		User: int(*spec.SecurityContext.RunAsUser), Group: int(*spec.SecurityContext.RunAsGroup),
	}.Command(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "operator", command)
}

// wantConfined asks the kernel what the process may do.
func wantConfined(t *testing.T, p *process) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		fields[key] = strings.Join(strings.Fields(value), " ")
	}
	for key, want := range map[string]string{
		"Name": "operator", "Uid": "65532 65532 65532 65532", "Gid": "65532 65532 65532 65532", "Groups": "65532",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapBnd": "0000000000000000", "NoNewPrivs": "1",
	} {
		if fields[key] != want {
			t.Errorf("the operator's %s is %q, want %q", key, fields[key], want)
		}
	}
	inside := fmt.Sprintf("/proc/%d/root", p.Process.Pid)
	if err := os.WriteFile(filepath.Join(inside, "plugins", "SHA256SUMS"), nil, 0o644); err == nil ||
		!strings.Contains(err.Error(), syscall.EROFS.Error()) {
		t.Errorf("its root file system can be written: %v", err)
	}
	if err := os.WriteFile(filepath.Join(inside, "tmp", "probe"), nil, 0o644); err != nil {
		t.Errorf("its /tmp cannot be written, so the test above proves nothing: %v", err)
	}
}
