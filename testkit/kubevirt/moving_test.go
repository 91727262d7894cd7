package kubevirt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

// move is a halted virtual machine of one cluster whose disks another one imports.
type move struct {
	from, to     *world
	here, there  string // the namespaces
	vm           *kubevirtv1.VirtualMachine
	export       *exportv1.VirtualMachineExport
	token        *corev1.Secret // there, as a header
	certificates *corev1.ConfigMap
}

const gib10 = "10Gi"

// withDisk adds a disk that the virtual machine has a template for.
func withDisk(name, size string, source *cdiv1.DataVolumeSource) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		volume(name, kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: name}})(vm)
		vm.Spec.DataVolumeTemplates = append(vm.Spec.DataVolumeTemplates, kubevirtv1.DataVolumeTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: cdiv1.DataVolumeSpec{Source: source, Storage: &cdiv1.StorageSpec{
				Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceStorage: resource.MustParse(size),
				}},
			}},
		})
	}
}

func image(url string) *cdiv1.DataVolumeSource {
	return &cdiv1.DataVolumeSource{Registry: &cdiv1.DataVolumeSourceRegistry{URL: ptr.To(url)}}
}

// halted makes the virtual machine, which does not run, and waits until its disks are filled.
func (m *move) halted(t *testing.T, changes ...change) {
	t.Helper()
	m.vm = machine(m.here, "vm", append(changes, strategy(kubevirtv1.RunStrategyHalted))...)
	m.from.create(t, m.vm)
	for _, template := range m.vm.Spec.DataVolumeTemplates {
		m.from.wantDisk(t, m.here, template.Name)
	}
}

// wantDisk waits for the disk of a claim.
func (w *world) wantDisk(t *testing.T, namespace, claim string) (disk contents.Disk) {
	t.Helper()
	eventually.Eventually(t, patience, "the disk is filled: "+claim, func(ctx context.Context) (err error) {
		disk, err = w.stack.Disk(ctx, namespace, claim)
		return err
	})
	return disk
}

// exported makes an export of the virtual machine, waits until it has links for the outside, and
// gives the other cluster what it needs to use them.
func (m *move) exported(t *testing.T) {
	t.Helper()
	token := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token", Namespace: m.here},
		StringData: map[string]string{"token": "twelve-characters"}}
	m.export = &exportv1.VirtualMachineExport{
		ObjectMeta: metav1.ObjectMeta{Name: "move", Namespace: m.here},
		Spec: exportv1.VirtualMachineExportSpec{
			TokenSecretRef: &token.Name,
			Source: corev1.TypedLocalObjectReference{
				APIGroup: ptr.To("kubevirt.io"), Kind: "VirtualMachine", Name: m.vm.Name,
			},
		},
	}
	m.from.create(t, token, m.export)
	m.wantExport(t, "it is ready", func() error {
		if links := m.export.Status.Links; m.export.Status.Phase != exportv1.Ready || links.External == nil ||
			len(links.External.Volumes) != len(m.vm.Spec.DataVolumeTemplates) {
			return errors.New("it is not ready")
		}
		return nil
	})
	m.certificates = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "move", Namespace: m.there},
		Data: map[string]string{"ca.pem": m.export.Status.Links.External.Cert}}
	m.token = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "move", Namespace: m.there},
		StringData: map[string]string{"token": "x-kubevirt-export-token: twelve-characters"}}
	m.to.create(t, m.certificates, m.token)
}

// wantExport waits until what is said of the export is so.
func (m *move) wantExport(t *testing.T, what string, is func() error) {
	t.Helper()
	eventually.Eventually(t, patience, "the export: "+what, func(ctx context.Context) error {
		if err := m.from.client.Get(ctx, client.ObjectKeyFromObject(m.export), m.export); err != nil {
			return err
		}
		if m.export.Status == nil {
			return errors.New("nobody has looked at it")
		}
		if err := is(); err != nil {
			return fmt.Errorf("%w: %s, %v", err, m.export.Status.Phase, m.export.Status.Conditions)
		}
		return nil
	})
}

// source is where the other cluster gets a disk.
func (m *move) source(t *testing.T, claim string, format exportv1.ExportVolumeFormat) *cdiv1.DataVolumeSource {
	t.Helper()
	for _, volume := range m.export.Status.Links.External.Volumes {
		for _, link := range volume.Formats {
			if volume.Name == claim && link.Format == format {
				return &cdiv1.DataVolumeSource{HTTP: &cdiv1.DataVolumeSourceHTTP{
					URL: link.Url, CertConfigMap: m.certificates.Name, SecretExtraHeaders: []string{m.token.Name},
				}}
			}
		}
	}
	t.Fatalf("there is no link to %s as %s", claim, format)
	return nil
}

// wantVolume waits until what is said of a DataVolume of the other cluster is so.
func (m *move) wantVolume(t *testing.T, name, what string, is func(cdiv1.DataVolumeStatus) bool) {
	t.Helper()
	volume := &cdiv1.DataVolume{}
	eventually.Eventually(t, patience, "the import of "+name+": "+what, func(ctx context.Context) error {
		if err := m.to.client.Get(ctx, client.ObjectKey{Namespace: m.there, Name: name}, volume); err != nil {
			return err
		}
		if !is(volume.Status) {
			return fmt.Errorf("it is not: %+v", volume.Status)
		}
		return nil
	})
}

// failing says whether an import is not running for a reason, with a text in the message.
func failing(status cdiv1.DataVolumeStatus, phase cdiv1.DataVolumePhase, reason, text string) bool {
	for _, c := range status.Conditions {
		if c.Type == cdiv1.DataVolumeRunning {
			return status.Phase == phase && c.Status == corev1.ConditionFalse && c.Reason == reason &&
				strings.Contains(c.Message, text)
		}
	}
	return false
}

// moved waits until a disk of the other cluster is filled, and compares it.
func (m *move) moved(t *testing.T, name string) {
	t.Helper()
	want, err := m.from.wantDisk(t, m.here, name).SHA256()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.to.wantDisk(t, m.there, name).SHA256(); err != nil || got != want {
		t.Errorf("%s is %s, not %s: %v", name, got, want, err)
	}
}

// importOne lets the other cluster make a virtual machine, which does not run, with one disk.
func (m *move) importOne(t *testing.T, name, size string, source *cdiv1.DataVolumeSource) {
	t.Helper()
	m.to.create(t, machine(m.there, name, strategy(kubevirtv1.RunStrategyHalted), withDisk(name, size, source)))
}

// importAlone lets the other cluster make a disk that no virtual machine has a template for: KubeVirt
// 1.8 knows of no checksum.
func (m *move) importAlone(t *testing.T, name string, source *cdiv1.DataVolumeSource) {
	t.Helper()
	template := machine(m.there, "", withDisk(name, gib10, source)).Spec.DataVolumeTemplates[0]
	m.to.create(t, &cdiv1.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.there, Name: name}, Spec: template.Spec,
	})
}

// inFileSystem lets the last disk be a file in a file system; others are devices.
func inFileSystem(vm *kubevirtv1.VirtualMachine) {
	storage := vm.Spec.DataVolumeTemplates[len(vm.Spec.DataVolumeTemplates)-1].Spec.Storage
	storage.VolumeMode = ptr.To(corev1.PersistentVolumeFilesystem)
}

// isServed says whether a process runs for a Pod: the files that it was told of are in a folder of
// the Pod's UID.
func isServed(t *testing.T, pod string) bool {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(environments) == 0 {
		t.Fatalf("no process can be looked at: %v", err)
	}
	for _, file := range environments {
		environment, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environment, []byte("LISTEN_ADDR=")) &&
			bytes.Contains(environment, []byte("/"+pod+"/cert/tls.crt")) {
			return true
		}
	}
	return false
}
