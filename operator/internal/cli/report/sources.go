package report

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// operatorNamespace is where deploy/ puts the operator.
const operatorNamespace = "kubevirt-operator"

// source is a kind to pack, of one namespace or, with "", of all.
type source struct {
	file      string
	kind      schema.GroupVersionKind
	namespace string
	labels    map[string]string
	fields    map[string]string
}

func (s source) String() string {
	if s.namespace == "" {
		return s.kind.Kind + " in all namespaces"
	}
	return s.kind.Kind + " in " + s.namespace
}

// supervisorSources are what is packed of the supervisor. Secrets are not among them: not even
// their names are needed to understand a fault, since conditions tell of them.
func supervisorSources(configs, namespace string) []source {
	own := func(kind string) schema.GroupVersionKind { return vitistackv1alpha1.SchemeGroupVersion.WithKind(kind) }
	all := []source{
		{file: "kubevirtconfigs.yaml", kind: own("KubevirtConfig"), namespace: configs},
		{file: "machines.yaml", kind: own("Machine"), namespace: namespace},
		{file: "machinemoves.yaml", kind: own("MachineMove"), namespace: namespace},
		{file: "evacuations.yaml", kind: own("Evacuation"), namespace: configs},
		{file: "machinerollouts.yaml", kind: own("MachineRollout"), namespace: namespace},
		{file: "machineclasses.yaml", kind: own("MachineClass")},
		{file: "networknamespaces.yaml", kind: own("NetworkNamespace"), namespace: namespace},
		{file: "networkconfigurations.yaml", kind: own("NetworkConfiguration"), namespace: namespace},
		{file: "deployments.yaml", kind: appsv1.SchemeGroupVersion.WithKind("Deployment"), namespace: operatorNamespace},
		{file: "pods.yaml", kind: corev1.SchemeGroupVersion.WithKind("Pod"), namespace: operatorNamespace},
		{file: "leases.yaml", kind: coordinationv1.SchemeGroupVersion.WithKind("Lease"), namespace: operatorNamespace},
		{
			file: "debts.yaml", kind: corev1.SchemeGroupVersion.WithKind("ConfigMap"), namespace: configs,
			fields: map[string]string{"metadata.name": vitistackv1alpha1.DebtsConfigMap},
		},
		{
			file: "deletions.yaml", kind: corev1.SchemeGroupVersion.WithKind("ConfigMap"), namespace: configs,
			fields: map[string]string{"metadata.name": vitistackv1alpha1.DeletionsConfigMap},
		},
		{file: "events-operator.yaml", kind: events, namespace: operatorNamespace},
	}
	for _, kind := range []string{"Machine", "KubevirtConfig", "MachineMove", "Evacuation", "MachineRollout"} {
		all = append(all, source{
			file: fmt.Sprintf("events-%s.yaml", kind), kind: events, namespace: namespace,
			fields: map[string]string{"involvedObject.kind": kind},
		})
	}
	return all
}

var events = corev1.SchemeGroupVersion.WithKind("Event")

// remoteSources are what is packed of a remote cluster: of virtual machines, instances and disks
// those alone that this supervisor made.
func remoteSources(supervisorUID, namespace string) []source {
	mine := desired.SupervisorLabels(supervisorUID)
	all := []source{
		{file: "kubevirts.yaml", kind: kubevirtv1.GroupVersion.WithKind("KubeVirt")},
		{
			file: "virtualmachines.yaml", kind: kubevirtv1.VirtualMachineGroupVersionKind, namespace: namespace, labels: mine,
		},
		{
			file: "virtualmachineinstances.yaml", kind: kubevirtv1.VirtualMachineInstanceGroupVersionKind,
			namespace: namespace, labels: mine,
		},
		{
			file: "datavolumes.yaml", kind: cdiv1beta1.SchemeGroupVersion.WithKind("DataVolume"), namespace: namespace,
			labels: mine,
		},
		{file: "storageclasses.yaml", kind: storagev1.SchemeGroupVersion.WithKind("StorageClass")},
	}
	for _, kind := range []string{"VirtualMachine", "VirtualMachineInstance", "DataVolume"} {
		all = append(all, source{
			file: fmt.Sprintf("events-%s.yaml", kind), kind: events, namespace: namespace,
			fields: map[string]string{"involvedObject.kind": kind},
		})
	}
	return all
}
