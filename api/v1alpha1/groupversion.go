package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of every kind in this package.
const GroupName = "vitistack.io"

// SchemeGroupVersion is the group and version of every kind in this package. It must not be
// changed.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

// AddToScheme registers every kind of this package, and its list, in a scheme. It does no I/O and
// fails only when the scheme already holds other Go types under the same names. A scheme must not
// be read while it is being added to.
func AddToScheme(scheme *runtime.Scheme) error {
	builder := runtime.NewSchemeBuilder(addKnownTypes)
	return builder.AddToScheme(scheme)
}

// Kind qualifies a kind name with this package's group.
func Kind(kind string) schema.GroupKind {
	return SchemeGroupVersion.WithKind(kind).GroupKind()
}

// Resource qualifies a plural resource name with this package's group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&Machine{}, &MachineList{},
		&MachineClass{}, &MachineClassList{},
		&KubevirtConfig{}, &KubevirtConfigList{},
		&NetworkConfiguration{}, &NetworkConfigurationList{},
		&NetworkNamespace{}, &NetworkNamespaceList{},
		&MachineMove{}, &MachineMoveList{},
		&Evacuation{}, &EvacuationList{},
		&MachineRollout{}, &MachineRolloutList{},
	)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
