package gather

import (
	"context"
	"errors"
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

func (a asker) kubeVirt(ctx context.Context) readiness.Fact[readiness.KubeVirt] {
	q := question{"kubevirt", "list kubevirts.kubevirt.io"}
	return remembered(ctx, a, &a.g.kubeVirt, q, func(ctx context.Context) (readiness.KubeVirt, error) {
		list := &kubevirtv1.KubeVirtList{}
		err := a.reader.List(ctx, list)
		if isUnserved(err) {
			return readiness.KubeVirt{Message: "KubeVirt is not installed"}, nil
		}
		if err != nil {
			return readiness.KubeVirt{}, err
		}
		state := kubevirt.Of(list.Items)
		is := readiness.KubeVirt{Ready: state.Ready, Version: state.Version, Message: state.Message}
		for i := range list.Items { // there is one
			configuration := list.Items[i].Spec.Configuration
			is.StateClass = configuration.VMStateStorageClass
			if developer := configuration.DeveloperConfiguration; developer != nil {
				is.Gates, is.CPUAllocationRatio = developer.FeatureGates, developer.CPUAllocationRatio
				is.MemoryOvercommit = developer.MemoryOvercommit
			}
		}
		return is, nil
	})
}

// The annotations that make a storage class a default one: for claims of virtual machines, and for
// all.
const (
	defaultForVMs = "storageclass.kubevirt.io/is-default-virt-class"
	defaultForAll = "storageclass.kubernetes.io/is-default-class"
)

func (a asker) storageClasses(ctx context.Context) readiness.Fact[[]readiness.StorageClass] {
	q := question{"classes", "list storageclasses.storage.k8s.io"}
	return remembered(ctx, a, &a.g.classes, q, func(ctx context.Context) ([]readiness.StorageClass, error) {
		list := &storagev1.StorageClassList{}
		if err := a.reader.List(ctx, list); err != nil {
			return nil, err
		}
		var all []readiness.StorageClass
		for _, class := range list.Items {
			all = append(all, readiness.StorageClass{
				Name: class.Name, Default: class.Annotations[defaultForAll] == "true",
				DefaultForVMs: class.Annotations[defaultForVMs] == "true",
			})
		}
		return all, nil
	})
}

func (a asker) profiles(ctx context.Context) readiness.Fact[map[string][]readiness.ClaimSet] {
	q := question{"profiles", "list storageprofiles.cdi.kubevirt.io"}
	return remembered(ctx, a, &a.g.profiles, q, func(ctx context.Context) (map[string][]readiness.ClaimSet, error) {
		list := &cdiv1beta1.StorageProfileList{}
		err := a.reader.List(ctx, list)
		if isUnserved(err) {
			return nil, nil // a CDI that has none chooses by itself
		}
		if err != nil {
			return nil, err
		}
		all := map[string][]readiness.ClaimSet{}
		for _, profile := range list.Items {
			sets := []readiness.ClaimSet{}
			for _, set := range profile.Status.ClaimPropertySets {
				each := readiness.ClaimSet{AccessModes: set.AccessModes}
				if set.VolumeMode != nil {
					each.VolumeMode = *set.VolumeMode
				}
				sets = append(sets, each)
			}
			all[profile.Name] = sets
		}
		return all, nil
	})
}

func (a asker) nodes(ctx context.Context) readiness.Fact[[]readiness.Node] {
	q := question{"nodes", "list nodes and pods"}
	return remembered(ctx, a, &a.g.nodes, q, func(ctx context.Context) ([]readiness.Node, error) {
		nodes, err := capacity.Nodes(ctx, a.reader)
		if err != nil {
			return nil, err
		}
		var all []readiness.Node
		for _, node := range nodes {
			all = append(all, readiness.Node{
				Name: node.Name, Labels: node.Labels, Taints: node.Taints, Allocatable: node.Allocatable,
				Free: readiness.Size(node.Free),
			})
		}
		return all, nil
	})
}

// definitionNames are the names of the definitions of what the operator writes.
var definitionNames = map[string]string{
	"VirtualMachine":              "virtualmachines.kubevirt.io",
	"NetworkAttachmentDefinition": "network-attachment-definitions.k8s.cni.cncf.io",
}

// definitions works out what the cluster's definitions would make of the objects.
func (a asker) definitions(ctx context.Context) readiness.Fact[[]readiness.Definition] {
	const right = "get customresourcedefinitions.apiextensions.k8s.io"
	object, err := a.unstructured()
	if err != nil {
		return failed[[]readiness.Definition](err, right)
	}
	var all []readiness.Definition
	for _, object := range append([]*unstructured.Unstructured{object}, a.needs.Attachments...) {
		name := definitionNames[object.GetKind()]
		compiled := remembered(ctx, a, &a.g.definitions, question{"definition " + name, right},
			func(ctx context.Context) ([]*admit.Definition, error) { return a.compiled(ctx, name) })
		if compiled.Missing != nil {
			return readiness.Fact[[]readiness.Definition]{Missing: compiled.Missing}
		}
		found, err := judged(ctx, name, object, compiled.Value)
		if err != nil {
			return failed[[]readiness.Definition](err, right)
		}
		all = append(all, found)
	}
	return readiness.Seen(all, a.now)
}

// compiled reads a definition; none where the cluster has none.
func (a asker) compiled(ctx context.Context, name string) ([]*admit.Definition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := a.reader.Get(ctx, client.ObjectKey{Name: name}, crd)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	definition, err := a.g.schemas.Compile(crd)
	return []*admit.Definition{definition}, err
}

func judged(
	ctx context.Context, name string, object *unstructured.Unstructured, compiled []*admit.Definition,
) (readiness.Definition, error) {
	found := readiness.Definition{
		Object: object.GetKind() + " " + object.GetName(), Name: name, Absent: len(compiled) == 0,
	}
	if found.Absent {
		return found, nil
	}
	verdict, err := compiled[0].Create(ctx, object.Object)
	if err != nil {
		return found, err
	}
	for _, refusal := range verdict.Refused {
		found.Refused = append(found.Refused, strings.TrimPrefix(refusal.Path+": "+refusal.Message, ": "))
	}
	found.Dropped = append(verdict.Pruned, verdict.Unstored...)
	return found, nil
}

// unstructured is the virtual machine as it would be sent.
func (a asker) unstructured() (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(a.needs.VM)
	if err != nil {
		return nil, err
	}
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return &unstructured.Unstructured{Object: content}, nil
}

// catalogueVersion is that of instance types and preferences.
var catalogueVersion = schema.GroupVersion{Group: "instancetype.kubevirt.io", Version: "v1beta1"}

// entry reads an instance type or a preference, nil where there is none.
func (a asker) entry(ctx context.Context, object *readiness.Object) (*unstructured.Unstructured, error) {
	entry := &unstructured.Unstructured{}
	entry.SetGroupVersionKind(catalogueVersion.WithKind(object.Kind))
	key := client.ObjectKey{Name: object.Name}
	if !strings.Contains(object.Kind, "Cluster") {
		key.Namespace = a.needs.VM.Namespace
	}
	err := a.reader.Get(ctx, key, entry)
	if apierrors.IsNotFound(err) || isUnserved(err) {
		return nil, nil
	}
	return entry, err
}

func (a asker) instancetype(ctx context.Context) readiness.Fact[*readiness.Size] {
	wanted := a.needs.Instancetype
	if wanted == nil {
		return readiness.Fact[*readiness.Size]{}
	}
	q := question{a.keyOf(wanted), rightToGet(wanted)}
	return remembered(ctx, a, &a.g.sizes, q, func(ctx context.Context) (*readiness.Size, error) {
		entry, err := a.entry(ctx, wanted)
		if entry == nil || err != nil {
			return nil, err
		}
		cpus, _, errCPU := unstructured.NestedInt64(entry.Object, "spec", "cpu", "guest")
		text, _, errMemory := unstructured.NestedString(entry.Object, "spec", "memory", "guest")
		memory, err := resource.ParseQuantity(text)
		if err := errors.Join(errCPU, errMemory, err); err != nil {
			return nil, err
		}
		return &readiness.Size{MilliCPU: cpus * 1000, MemoryBytes: memory.Value()}, nil
	})
}

func (a asker) preference(ctx context.Context) readiness.Fact[bool] {
	wanted := a.needs.Preference
	if wanted == nil {
		return readiness.Fact[bool]{}
	}
	q := question{a.keyOf(wanted), rightToGet(wanted)}
	return remembered(ctx, a, &a.g.preferences, q, func(ctx context.Context) (bool, error) {
		entry, err := a.entry(ctx, wanted)
		return entry != nil, err
	})
}

func (a asker) keyOf(object *readiness.Object) string {
	return object.Kind + " " + a.needs.VM.Namespace + "/" + object.Name
}

func rightToGet(object *readiness.Object) string {
	return "get " + strings.ToLower(object.Kind) + "s." + catalogueVersion.Group
}

// metadataOf is an object of which the metadata alone are read.
func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}
