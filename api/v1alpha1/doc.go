// Package v1alpha1 holds the API types of group vitistack.io, version v1alpha1.
//
// Register them with [AddToScheme] and use them with any Kubernetes client:
//
//	scheme := runtime.NewScheme()
//	if err := v1alpha1.AddToScheme(scheme); err != nil {
//		return fmt.Errorf("registering vitistack.io: %w", err)
//	}
//
// The types are a superset of the public vitistack definitions, in the shapes of their first
// release (instanceType, namespaced KubevirtConfig) and of the present one (machineClass,
// cluster-scoped KubevirtConfig): a manifest written for either decodes without loss, and the
// definitions in package crds admit it unchanged.
//
// They are a view, no more. The definitions installed in a cluster may belong to somebody else and
// may be larger than this package knows. Decoding ignores what it does not know; a typed Update
// would therefore erase it. Write with a patch or with server-side apply, never with Update.
// Nothing the operator depends on lives in a spec field or a label of a Machine, because other
// controllers replace both as a whole: see the annotations.
//
// Everything in this package is a plain value: nothing does I/O or keeps package-level state.
// Values may be read concurrently; whoever writes to one must own it (DeepCopy what comes from a
// cache).
//
// +kubebuilder:object:generate=true
// +groupName=vitistack.io
package v1alpha1
