package admitted

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// machines draws Machines of all kinds: what people write, what programs write, and what nobody
// should.
var machines = rapid.Custom(func(t *rapid.T) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace:   namespace,
		Name:        draw(t, "name", "web", "a.b.c", strings.Repeat("long-name.", 20)+"end", "c1-worker-east-pool-12", "0"),
		Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: east},
	}}
	annotate(t, m)
	spec := &m.Spec
	spec.InstanceType = seldom(t, "instanceType", []string{"huge", "disabled"}, "", "", "small", "large", "tiny")
	spec.MachineClass = draw(t, "machineClass", "", spec.InstanceType)
	spec.RunStrategy = draw(t, "runStrategy", "", "", vitistackv1alpha1.RunStrategyHalted,
		vitistackv1alpha1.RunStrategyOnce, vitistackv1alpha1.RunStrategyManual, vitistackv1alpha1.RunStrategyRerunOnFailure)
	if odds(t, "cpu", 3) {
		spec.CPU = vitistackv1alpha1.MachineCPU{
			Cores: rapid.IntRange(0, 256).Draw(t, "cores"), Sockets: rapid.IntRange(0, 16).Draw(t, "sockets"),
			ThreadsPerCore: rapid.IntRange(0, 8).Draw(t, "threads"),
		}
	}
	spec.Memory = seldom(t, "memory", []int64{1, 1 << 20, 1 << 45}, 0, 0, 3<<30+7, 64<<20)
	spec.OS = vitistackv1alpha1.MachineOS{
		Family: draw(t, "family", "", "linux"), Architecture: draw(t, "architecture", "", "amd64", "arm64", "x86_64"),
		ISOUri: seldom(t, "isoUri", []string{"file:///etc/passwd", "%zz"}, "", "", "", "https://images.example.com/b.iso"),
	}
	images := []string{"", "https://images.example.com/a.qcow2", "http://user:hidden@host/a.img",
		"https://images.example.com/a.iso"}
	switch m.Annotations[vitistackv1alpha1.AnnotationBootSourceType] {
	case "registry":
		images = []string{"", "quay.io/containerdisks/fedora:42", "docker://quay.io/a/b"}
	case "pvc", "datasource":
		images = []string{"golden", namespace + "/golden"}
	}
	spec.OS.ImageID = seldom(t, "imageID", []string{"s3://bucket/a", "%zz", "a/b/c"}, images...)
	drawDisks(t, spec)
	drawNetwork(t, spec)
	drawCloudInit(t, spec)
	return m
})

func draw[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

// seldom draws one of the bad values once in a while, else one of the good ones.
func seldom[T any](t *rapid.T, label string, bad []T, good ...T) T {
	if odds(t, label+" is bad", 60) {
		return draw(t, label, bad...)
	}
	return draw(t, label, good...)
}

func odds(t *rapid.T, label string, one int) bool {
	return rapid.IntRange(1, one).Draw(t, label) == one
}

func annotate(t *rapid.T, m *vitistackv1alpha1.Machine) {
	for _, each := range []struct {
		key       string
		bad, good []string
	}{
		{vitistackv1alpha1.AnnotationBootSource, []string{"other"}, []string{"", "datavolume", "datavolume"}},
		{vitistackv1alpha1.AnnotationBootSourceType, []string{"nfs"},
			[]string{"", "", "http", "https", "registry", "pvc", "datasource"}},
		{vitistackv1alpha1.AnnotationOSInstalled, []string{"no"}, []string{"", "", "true"}},
		{vitistackv1alpha1.AnnotationISOSize, []string{"12", "big", "9e30", "-1Gi"}, []string{"", "", "700Mi", "11.3Gi"}},
		{vitistackv1alpha1.AnnotationInstancetype, []string{missing}, []string{"", "", "", "", "", "small"}},
		{vitistackv1alpha1.AnnotationPreference, []string{missing}, []string{"", "", "", "", "", "small"}},
		{vitistackv1alpha1.AnnotationSecureBoot, []string{"perhaps"}, []string{"", "", "", "true", "false"}},
		{vitistackv1alpha1.AnnotationEvictionStrategy, []string{"Never"},
			[]string{"", "", "", "LiveMigrate", "None", "External"}},
	} {
		if value := seldom(t, each.key, each.bad, each.good...); value != "" {
			m.Annotations[each.key] = value
		}
	}
}

func drawDisks(t *rapid.T, spec *vitistackv1alpha1.MachineSpec) {
	for i := range rapid.IntRange(0, 5).Draw(t, "disks") {
		spec.Disks = append(spec.Disks, vitistackv1alpha1.MachineSpecDisk{
			Name: seldom(t, "disk", []string{"Data_1", "root", "cdrom-iso"}, "", fmt.Sprintf("disk-%d", i),
				fmt.Sprintf("data%d", i), strings.Repeat("d", 60)+fmt.Sprint(i)),
			SizeGB: draw(t, "size", int64(1), 10, 65536),
			Type:   draw(t, "type", "", "virtio", "sata", "scsi", "nvme", "fast-block", "Ünïcode"),
			Boot:   odds(t, "boot", 12), Encrypted: odds(t, "encrypted", 9), Device: draw(t, "device", "", "/dev/sda"),
		})
	}
}

func drawNetwork(t *rapid.T, spec *vitistackv1alpha1.MachineSpec) {
	spec.Network.NetworkNamespaceName = seldom(t, "networkNamespace", []string{"missing"}, "pod", "dhcp", "static")
	for i := range rapid.IntRange(-4, 3).Draw(t, "interfaces") {
		spec.Network.Interfaces = append(spec.Network.Interfaces, vitistackv1alpha1.NetworkInterface{
			Name:    seldom(t, "interface", []string{"", "Bad_Name", strings.Repeat("x", 70)}, fmt.Sprintf("eth%d", i)),
			Subnet:  seldom(t, "subnet", []string{""}, "dhcp", "storage", "static", "static6"),
			Primary: odds(t, "primary", 3),
		})
	}
}

func drawCloudInit(t *rapid.T, spec *vitistackv1alpha1.MachineSpec) {
	if odds(t, "keys", 6) {
		spec.SSHKeys = []string{"ssh-ed25519 AAAA " + marker}
	}
	if !odds(t, "cloudInit", 2) {
		return
	}
	ref := func(label string) *vitistackv1alpha1.CloudInitSourceRef {
		if !odds(t, label, 4) {
			return nil
		}
		return &vitistackv1alpha1.CloudInitSourceRef{Name: seldom(t, label+" name", []string{"absent"}, "source"),
			Key: seldom(t, label+" key", []string{"other"}, "")}
	}
	spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
		Type: draw(t, "dataSource", vitistackv1alpha1.CloudInitNoCloud, vitistackv1alpha1.CloudInitConfigDrive),
		UserData: draw(t, "userData", "", "", "#cloud-config\n# "+marker+"\n", "#!/bin/sh\n# "+marker,
			"#cloud-config\n# "+strings.Repeat(marker, 300)),
		UserDataBase64:    seldom(t, "base64", []string{"not base64 " + marker}, "", "", "I2Nsb3VkLWNvbmZpZwo="),
		UserDataSecretRef: ref("userSecret"), UserDataConfigMapRef: ref("userConfigMap"),
		NetworkData:          draw(t, "networkData", "", "", "version: 2\n", strings.Repeat("# "+marker+"\n", 300)),
		NetworkDataSecretRef: ref("networkSecret"),
	}
}

// marker stands in everything that is nobody's business.
const marker = "hunter2hunter2"
