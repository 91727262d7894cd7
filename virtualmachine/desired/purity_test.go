package desired_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestImports: a pure package has nothing at hand with which to do anything.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{range .Imports}}{{.}} {{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := strings.Fields(string(out))
	if !slices.Contains(imports, "k8s.io/api/core/v1") {
		t.Fatalf("go list named %v, which cannot be all", imports)
	}
	for _, forbidden := range []string{
		"os", "net/http", "io", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "time", "context",
		"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/go-logr/logr",
	} {
		for _, path := range imports {
			if path == forbidden || strings.HasPrefix(path, forbidden+"/") && strings.Contains(forbidden, ".") {
				t.Errorf("import of %s", path)
			}
		}
	}
}

// TestNoRandomness: a UUID may be derived and never drawn.
func TestNoRandomness(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %d files: %v", len(paths), err)
	}
	impure := regexp.MustCompile(
		`\btime\.Now\b|\buuid\.(New|NewString|NewRandom|NewUUID|Must|NewV[0-9])\b\(|\bmetav1\.Now\b`)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := impure.Find(content); found != nil {
			t.Errorf("%s: %s", path, found)
		}
	}
}

// anyScenario draws Machines that may be made and that may not.
func anyScenario(t *rapid.T) scenario {
	m := machine(machineNames().Draw(t, "name"), nil)
	m.Spec.InstanceType = rapid.SampledFrom([]string{"", "small", "medium", "huge"}).Draw(t, "instanceType")
	m.Spec.Memory = rapid.SampledFrom([]int64{0, 1, 1 << 30}).Draw(t, "memory")
	m.Spec.CPU.Cores = rapid.IntRange(0, 4).Draw(t, "cores")
	m.Spec.OS.ImageID = rapid.SampledFrom([]string{"", "https://images.example.com/a.img", "quay.io/a/b"}).Draw(t, "image")
	m.Annotations = map[string]string{
		vitistackv1alpha1.AnnotationBootSource: vitistackv1alpha1.BootSourceDataVolume,
		vitistackv1alpha1.AnnotationBootSourceType: rapid.SampledFrom([]string{"", "http", "registry", "other"}).Draw(t,
			"kind"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "disks") {
		m.Spec.Disks = append(m.Spec.Disks, vitistackv1alpha1.MachineSpecDisk{
			Name:   rapid.SampledFrom([]string{"", "a", "b", "root", "disk1"}).Draw(t, "disk"),
			SizeGB: rapid.Int64Range(0, 9).Draw(t, "size"),
			Type:   rapid.SampledFrom([]string{"", "sata", "scsi", "nvme"}).Draw(t, "type"),
			Boot:   rapid.Bool().Draw(t, "boot"),
		})
	}
	if rapid.Bool().Draw(t, "cloudInit") {
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
			Type:     rapid.SampledFrom([]vitistackv1alpha1.CloudInitType{"", "noCloud", "configDrive"}).Draw(t, "dataSource"),
			UserData: strings.Repeat("u", rapid.IntRange(0, 4096).Draw(t, "userData")),
		}
		m.Spec.SSHKeys = rapid.SliceOfN(rapid.StringMatching(`ssh-ed25519 [A-Za-z0-9]{4}`), 0, 2).Draw(t, "keys")
	}
	s := scenario{machine: m, options: options(), vmPrefix: "vm-"}
	switch rapid.IntRange(0, 3).Draw(t, "network") {
	case 1:
		s.networks = []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(rapid.IntRange(0, 4094).Draw(t, "vlan"))}
	case 2:
		s.networks = []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)}
		s.given = []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", IPv4Addresses: []string{"10.0.1.7"}}}
	case 3:
		s.networks = []vitistackv1alpha1.NetworkNamespace{staticNetwork(0)}
	}
	return s
}

// TestDeterministic is the property that the same input gives the same output, and stays as it was.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyScenario(t)
		before := s.machine.DeepCopy()
		networks := make([]vitistackv1alpha1.NetworkNamespace, 0, len(s.networks))
		for _, nn := range s.networks {
			networks = append(networks, *nn.DeepCopy())
		}
		one, oneErr := s.make()
		two, twoErr := s.make()
		if diff := cmp.Diff(reasonOf(oneErr), reasonOf(twoErr)); diff != "" {
			t.Fatalf("two errors of one input: %s", diff)
		}
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatalf("two outputs of one input: %s", diff)
		}
		if diff := cmp.Diff(before, s.machine); diff != "" {
			t.Errorf("the Machine was changed: %s", diff)
		}
		if diff := cmp.Diff(networks, s.networks); diff != "" && len(networks) > 0 {
			t.Errorf("the networks were changed: %s", diff)
		}
		if oneErr != nil {
			if !strings.Contains(reasonOf(oneErr), "/") {
				t.Errorf("an error that says neither refusal nor wait: %v", oneErr)
			}
			return
		}
	})
}
