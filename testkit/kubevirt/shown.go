package kubevirt

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Shown is what a cluster with KubeVirt shows of it to those who only look: for stand-ins.
type Shown struct {
	// KubeVirt says which version is there.
	KubeVirt *kubevirtv1.KubeVirt
	// Definitions are the custom resource definitions of virtual machines, of their instances and of
	// DataVolumes, in JSON.
	Definitions [][]byte
}

// Show reads what was built by `make tools`.
func Show() (Shown, error) {
	binaries, err := FindBinaries()
	if err != nil {
		return Shown{}, err
	}
	definitions, err := readDefinitions(binaries.Definitions)
	if err != nil {
		return Shown{}, err
	}
	shown := Shown{KubeVirt: kubeVirt()}
	shown.KubeVirt.Status = deployed(1, metav1.Now())
	kinds := []string{"virtualmachines.kubevirt.io", "virtualmachineinstances.kubevirt.io", "datavolumes.cdi.kubevirt.io"}
	for _, d := range definitions {
		if slices.Contains(kinds, d.name) {
			shown.Definitions = append(shown.Definitions, d.raw)
		}
	}
	return shown, nil
}
