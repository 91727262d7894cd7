package kubevirt_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/imports"
)

// TestMove takes disks from one cluster to another: the export, its certificate and its server are
// KubeVirt's.
func TestMove(t *testing.T) {
	to := &world{}
	t.Cleanup(to.stop)
	if err := to.startOn(t.Context(), controlplane.Options{Name: "cluster-target"}, kubevirt.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, m *move)
	}{
		{"two disks", testMoveOfTwoDisks},
		{"wrong token", testWrongToken},
		{"too small", testTooSmall},
		{"full", testFull},
		{"connection breaks", testConnectionBreaks},
		{"changed on the way", testChangedOnTheWay},
		{"progress", testProgress},
		{"machine starts", testMachineStarts},
		{"no external links", testNoExternalLinks},
		{"source killed", testSourceKilled},
		{"target killed", testTargetKilled},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &move{from: worlds[kubevirt.Real], to: to}
			m.here, m.there = m.from.namespace(t), m.to.namespace(t)
			t.Cleanup(func() { m.from.stack.SetExportFault(exports.Fault{}) })
			c.test(t, m)
		})
	}
}

func testMoveOfTwoDisks(t *testing.T, m *move) {
	m.vm = machine(m.here, "vm", withDisk("system", gib10, image("docker://registry.example/debian")),
		withDisk("data", "20Gi", &cdiv1.DataVolumeSource{Blank: &cdiv1.DataVolumeBlankImage{}}), inFileSystem)
	m.from.create(t, m.vm)
	vmi := m.from.guest(t, m.vm, kubevirtv1.Running)
	for i, name := range []string{"system", "data"} {
		if _, err := m.from.wantDisk(t, m.here, name).WriteAt([]byte("the guest wrote this"), int64(i)*4096); err != nil {
			t.Fatal(err)
		}
	}
	m.from.patch(t, m.vm, strategy(kubevirtv1.RunStrategyHalted))
	m.from.gone(t, vmi)
	m.exported(t)
	target := machine(m.there, "vm", strategy(kubevirtv1.RunStrategyHalted),
		withDisk("system", gib10, m.source(t, "system", exportv1.KubeVirtGz)),
		withDisk("data", "20Gi", m.source(t, "data", exportv1.KubeVirtRaw)))
	m.to.create(t, target)
	m.moved(t, "system")
	m.moved(t, "data")
	written := make([]byte, 20)
	if _, err := m.to.wantDisk(t, m.there, "data").ReadAt(written, 4096); err != nil ||
		string(written) != "the guest wrote this" {
		t.Errorf("the other cluster reads %q: %v", written, err)
	}
	m.to.patch(t, target, strategy(kubevirtv1.RunStrategyAlways))
	m.to.guest(t, target, kubevirtv1.Running)
}

func testWrongToken(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	m.token.StringData = map[string]string{"token": "x-kubevirt-export-token: another"}
	if err := m.to.client.Update(t.Context(), m.token); err != nil {
		t.Fatal(err)
	}
	m.importOne(t, "disk", gib10, m.source(t, "disk", exportv1.KubeVirtGz))
	m.wantVolume(t, "disk", "the token is refused", func(status cdiv1.DataVolumeStatus) bool {
		return failing(status, cdiv1.ImportInProgress, imports.Failed,
			"Unable to connect to http data source: expected status code 200, got 401. Status: 401 Unauthorized")
	})
	m.token.StringData = map[string]string{"token": "x-kubevirt-export-token: twelve-characters"}
	if err := m.to.client.Update(t.Context(), m.token); err != nil {
		t.Fatal(err)
	}
	m.moved(t, "disk")
}

func testTooSmall(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	for name, format := range map[string]exportv1.ExportVolumeFormat{
		"raw": exportv1.KubeVirtRaw, "gz": exportv1.KubeVirtGz,
	} {
		m.importOne(t, name, "9Gi", m.source(t, "disk", format))
		m.wantVolume(t, name, "it is too small", func(status cdiv1.DataVolumeStatus) bool {
			return failing(status, cdiv1.ImportInProgress, imports.Failed, imports.TooSmall)
		})
	}
}

func testFull(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	m.to.stack.SetImportRoom(100_000)
	defer m.to.stack.SetImportRoom(-1)
	m.importOne(t, "disk", gib10, m.source(t, "disk", exportv1.KubeVirtGz))
	m.wantVolume(t, "disk", "there is no room", func(status cdiv1.DataVolumeStatus) bool {
		return failing(status, cdiv1.ImportInProgress, imports.Failed, imports.TooSmall)
	})
	m.to.stack.SetImportRoom(-1)
	m.moved(t, "disk")
}

func testConnectionBreaks(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	for format, fault := range map[exportv1.ExportVolumeFormat]exports.Fault{
		exportv1.KubeVirtRaw: {BreakAfter: 300_000, Times: 2},
		exportv1.KubeVirtGz:  {EndAfter: 300_000, Times: 2},
	} {
		m.from.stack.SetExportFault(fault)
		name := "as-" + string(format)
		m.importOne(t, name, gib10, m.source(t, "disk", format))
		m.wantVolume(t, name, "it did not come whole", func(status cdiv1.DataVolumeStatus) bool {
			return failing(status, cdiv1.ImportInProgress, imports.PullFailed, "failed to pull image: unexpected EOF")
		})
		m.wantVolume(t, name, "the third attempt works", func(status cdiv1.DataVolumeStatus) bool {
			return status.Phase == cdiv1.Succeeded && status.RestartCount == 2
		})
	}
}

func testChangedOnTheWay(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	sum, err := m.from.wantDisk(t, m.here, "disk").SHA256()
	if err != nil {
		t.Fatal(err)
	}
	source := m.source(t, "disk", exportv1.KubeVirtRaw)
	source.HTTP.Checksum = "sha256:" + sum
	m.from.stack.SetExportFault(exports.Fault{Claim: "disk", After: 1, Corrupt: true})
	m.importAlone(t, "first", source)
	m.wantVolume(t, "first", "it is whole", func(status cdiv1.DataVolumeStatus) bool {
		return status.Phase == cdiv1.Succeeded
	})
	m.importAlone(t, "second", source)
	m.wantVolume(t, "second", "other bytes came, and nobody tries again", func(status cdiv1.DataVolumeStatus) bool {
		return failing(status, cdiv1.Failed, imports.ChecksumDiffers, "checksum mismatch: expected sha256:"+sum)
	})
}

func testProgress(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	m.from.stack.SetExportFault(exports.Fault{BytesPerSecond: 500_000})
	m.importOne(t, "disk", gib10, m.source(t, "disk", exportv1.KubeVirtRaw))
	m.wantVolume(t, "disk", "it is on its way", func(status cdiv1.DataVolumeStatus) bool {
		percent := strings.TrimSuffix(string(status.Progress), "%")
		return status.Phase == cdiv1.ImportInProgress && percent != "N/A" && percent != "0.00" &&
			strings.Contains(percent, ".")
	})
	m.moved(t, "disk")
}

func testMachineStarts(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	source := m.source(t, "disk", exportv1.KubeVirtGz)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: m.here, Name: "virt-export-move"}}
	if err := m.from.client.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
		t.Fatal(err)
	}
	uid := string(pod.UID)
	if !isServed(t, uid) {
		t.Error("no process serves the export")
	}
	m.from.patch(t, m.vm, strategy(kubevirtv1.RunStrategyAlways))
	m.from.guest(t, m.vm, kubevirtv1.Running)
	m.wantExport(t, "it ends when the machine starts", func() error {
		for _, c := range m.export.Status.Conditions {
			if c.Type == exportv1.ConditionReady && c.Status == corev1.ConditionFalse && c.Reason == "InUse" {
				return nil
			}
		}
		return errors.New("it goes on")
	})
	m.from.gone(t, pod)
	if isServed(t, uid) {
		t.Error("the process is there, and its Pod is not")
	}
	m.importOne(t, "disk", gib10, source)
	m.wantVolume(t, "disk", "nothing is served", func(status cdiv1.DataVolumeStatus) bool {
		return failing(status, cdiv1.ImportInProgress, imports.Failed, "503 Service Unavailable")
	})
}

func testNoExternalLinks(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	if err := m.from.stack.SetExternalLinks(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.from.stack.SetExternalLinks(context.WithoutCancel(t.Context()), true); err != nil {
			t.Error(err)
		}
	}()
	eventually.Eventually(t, patience, "virt-controller has seen it", func(ctx context.Context) error {
		m.export = &exportv1.VirtualMachineExport{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "inside-", Namespace: m.here},
			Spec: exportv1.VirtualMachineExportSpec{Source: corev1.TypedLocalObjectReference{
				APIGroup: ptr.To("kubevirt.io"), Kind: "VirtualMachine", Name: m.vm.Name,
			}},
		}
		if err := m.from.client.Create(ctx, m.export); err != nil {
			return err
		}
		m.wantExport(t, "it is ready", func() error {
			if m.export.Status.Phase != exportv1.Ready || m.export.Status.Links.Internal == nil {
				return errors.New("it is not")
			}
			return nil
		})
		if m.export.Status.Links.External != nil {
			return errors.New("the export has links for the outside")
		}
		return nil
	})
}

func testSourceKilled(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	marker := []byte("the guest wrote this")
	if _, err := m.from.wantDisk(t, m.here, "disk").WriteAt(marker, 0); err != nil {
		t.Fatal(err)
	}
	m.exported(t)
	m.from.stack.SetExportFault(exports.Fault{BytesPerSecond: 50_000, Times: 1})
	m.importOne(t, "disk", gib10, m.source(t, "disk", exportv1.KubeVirtGz))
	m.wantVolume(t, "disk", "it is on its way", func(status cdiv1.DataVolumeStatus) bool {
		return status.Phase == cdiv1.ImportInProgress
	})
	if err := m.from.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	m.wantVolume(t, "disk", "the source is gone", func(status cdiv1.DataVolumeStatus) bool {
		return failing(status, cdiv1.ImportInProgress, imports.PullFailed, "unexpected EOF") ||
			failing(status, cdiv1.ImportInProgress, imports.Failed, "connection refused")
	})
	if err := m.from.stack.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.moved(t, "disk")
}

func testTargetKilled(t *testing.T, m *move) {
	m.halted(t, withDisk("disk", gib10, image("docker://registry.example/debian")))
	m.exported(t)
	m.from.stack.SetExportFault(exports.Fault{BytesPerSecond: 50_000, Times: 1})
	m.importOne(t, "disk", gib10, m.source(t, "disk", exportv1.KubeVirtRaw))
	m.wantVolume(t, "disk", "it is on its way", func(status cdiv1.DataVolumeStatus) bool {
		return status.Phase == cdiv1.ImportInProgress
	})
	if err := m.to.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.to.stack.Disk(t.Context(), m.there, "disk"); err == nil {
		t.Error("half a disk is a disk")
	}
	if err := m.to.stack.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.moved(t, "disk")
}
