// Package supervisor holds the markers of the operator's rights where the Machines are. role.yaml
// is generated from them; access.yaml says who has them.
package supervisor

// Machines are people's: the operator writes annotations, the finalizer and the status. get is
// live, for what is owed of a Machine.
//
// +kubebuilder:rbac:groups=vitistack.io,resources=machines,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=vitistack.io,resources=machines/status;kubevirtconfigs/status,verbs=patch
// +kubebuilder:rbac:groups=vitistack.io,resources=machineclasses;networknamespaces,verbs=list;watch
// +kubebuilder:rbac:groups=vitistack.io,resources=networkconfigurations,verbs=get;list;watch;create;patch;delete
//
// The finalizer that keeps a KubevirtConfig while Machines are placed there, and the identity of
// its cluster.
//
// +kubebuilder:rbac:groups=vitistack.io,resources=kubevirtconfigs,verbs=list;watch;patch
//
// Moves: what people and Evacuations ask for, told in their status. create: the moves of an
// Evacuation. get is live, before it makes one.
//
// +kubebuilder:rbac:groups=vitistack.io,resources=machinemoves,verbs=get;list;watch;create
// +kubebuilder:rbac:groups=vitistack.io,resources=evacuations,verbs=list;watch
// +kubebuilder:rbac:groups=vitistack.io,resources=machinemoves/status;evacuations/status,verbs=patch
//
// Rollouts: what people ask for, told in their status. get is live, before a Machine is changed. In
// the status of a class stands how many Machines use it.
//
// +kubebuilder:rbac:groups=vitistack.io,resources=machinerollouts,verbs=get;list;watch
// +kubebuilder:rbac:groups=vitistack.io,resources=machinerollouts/status;machineclasses/status,verbs=patch
//
// cloud-init sources of Machines, by name: there is no list and no watch.
//
// +kubebuilder:rbac:groups="",resources=secrets;configmaps,verbs=get
//
// The UID of kube-system is the supervisor's identity. list and watch: a person lets deletions in a
// namespace go by an annotation of it.
//
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get
//
// In the namespace of KUBEVIRT_CONFIGS_NAMESPACE: the kubeconfigs, and the ConfigMaps with debts
// and with deletions that the brake let go. A
// create cannot be limited by name, because the API server does not know the name yet when it
// decides; so create stands alone.
//
// +kubebuilder:rbac:groups="",namespace=kubevirt-configs,resources=secrets,verbs=list;watch
// +kubebuilder:rbac:groups="",namespace=kubevirt-configs,resources=configmaps,verbs=create
// +kubebuilder:rbac:groups="",namespace=kubevirt-configs,resources=configmaps,resourceNames=vitistack-debts;vitistack-deletions,verbs=patch
//
// Leader election. A deployment with a --leader-election-id of its own needs that name here, too.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=kubevirt-operator,resources=leases,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=kubevirt-operator,resources=leases,resourceNames=09393f52.vitistack.io,verbs=get;update
//
// The leader election tells as an Event of the older kind who leads.
//
// +kubebuilder:rbac:groups="",namespace=kubevirt-operator,resources=events,verbs=create
