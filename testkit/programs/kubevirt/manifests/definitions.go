package main

import (
	"fmt"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	cdi "kubevirt.io/containerized-data-importer/pkg/operator/resources"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	"sigs.k8s.io/yaml"
)

// kubeVirt makes the definitions that virt-operator installs. virt-controller starts only where all
// of them are.
var kubeVirt = []func() (*extv1.CustomResourceDefinition, error){
	components.NewVirtualMachineInstanceCrd,
	components.NewVirtualMachineCrd,
	components.NewPresetCrd,
	components.NewReplicaSetCrd,
	components.NewVirtualMachineInstanceMigrationCrd,
	components.NewKubeVirtCrd,
	components.NewVirtualMachinePoolCrd,
	components.NewVirtualMachineSnapshotCrd,
	components.NewVirtualMachineSnapshotContentCrd,
	components.NewVirtualMachineRestoreCrd,
	components.NewVirtualMachineExportCrd,
	components.NewVirtualMachineBackupCrd,
	components.NewVirtualMachineBackupTrackerCrd,
	components.NewVirtualMachineInstancetypeCrd,
	components.NewVirtualMachineClusterInstancetypeCrd,
	components.NewVirtualMachinePreferenceCrd,
	components.NewVirtualMachineClusterPreferenceCrd,
	components.NewMigrationPolicyCrd,
	components.NewVirtualMachineCloneCrd,
}

// cdiKinds are CDI's names of the definitions that KubeVirt, or a user of its virtual machines,
// meets.
var cdiKinds = []string{
	"cdi", "cdiconfig", "datavolume", "datasource", "dataimportcron", "storageprofile",
	"volumeimportsource", "volumeclonesource", "volumeuploadsource",
}

// definitions returns every custom resource definition.
func definitions() ([]any, error) {
	var all []any
	for _, build := range kubeVirt {
		definition, err := build()
		if err != nil {
			return nil, fmt.Errorf("definition of KubeVirt: %w", err)
		}
		all = append(all, definition)
	}
	for _, kind := range cdiKinds {
		definition := &extv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict([]byte(cdi.CDICRDs[kind]), definition); err != nil {
			return nil, fmt.Errorf("definition of CDI's %s: %w", kind, err)
		}
		if definition.Name == "" {
			return nil, fmt.Errorf("CDI has no definition %q", kind)
		}
		all = append(all, definition)
	}
	return append(all, networkAttachmentDefinition()), nil
}
