package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// fieldOwner is who these commands are in the managed fields of what they apply.
const fieldOwner = client.FieldOwner("kubectl-machine")

// object is an object of the remote cluster, and how it was found there.
type object struct {
	*unstructured.Unstructured
	found state
}

// state is a mark in the list of what will be done.
type state string

const (
	absent  state = "+"
	differs state = "~"
	asItIs  state = "="
)

func (o object) String() string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// access are the objects of api/rbac/remote, and of others of its folders: what lets the operator
// in, in the order in which they are made.
func access(more ...[]byte) ([]object, error) {
	return decoded(bytes.Join(append([][]byte{rbac.Remote}, more...), []byte("\n---\n")))
}

// decoded are the objects of a YAML stream, in the order in which they are made.
func decoded(manifests []byte) ([]object, error) {
	var all []object
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		read := &unstructured.Unstructured{}
		err := decoder.Decode(read)
		if errors.Is(err, io.EOF) {
			return ordered(all), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the operator's rights: %w", err)
		}
		if len(read.Object) > 0 {
			all = append(all, object{Unstructured: read})
		}
	}
}

// ordered puts the role before its binding: the server asks whether who binds it has its rights.
func ordered(all []object) []object {
	var sorted []object
	for _, kind := range []string{"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"} {
		for _, each := range all {
			if each.GetKind() == kind {
				sorted = append(sorted, each)
			}
		}
	}
	return sorted
}

// account is the service account among the objects.
func account(all []object) client.ObjectKey {
	for _, each := range all {
		if each.GetKind() == "ServiceAccount" {
			return client.ObjectKeyFromObject(each)
		}
	}
	return client.ObjectKey{}
}

// rules are the rights among the objects.
func rules(all []object) ([]rbacv1.PolicyRule, error) {
	var given []rbacv1.PolicyRule
	for _, each := range all {
		if each.GetKind() != "ClusterRole" {
			continue
		}
		role := &rbacv1.ClusterRole{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(each.Object, role); err != nil {
			return nil, err
		}
		given = append(given, role.Rules...)
	}
	return given, nil
}

// inspect looks how the objects are in the remote cluster. The server itself says what applying
// them would change, and whether the caller may: it gives nobody the right to hand on rights that
// he does not have.
func inspect(ctx context.Context, remote client.Client, all []object) error {
	for i := range all {
		each := &all[i]
		before := &unstructured.Unstructured{}
		before.SetGroupVersionKind(each.GroupVersionKind())
		err := remote.Get(ctx, client.ObjectKeyFromObject(each), before)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("looking for %s: %w", each, err)
		}
		each.found = absent
		if err == nil && before.GetDeletionTimestamp() != nil {
			return fmt.Errorf("%s is being deleted: wait until it is gone", each)
		}
		if err != nil && each.GetNamespace() != "" {
			continue // the namespace may be missing too, and then nothing can be tried in it
		}
		after := object{Unstructured: each.DeepCopy()}
		if err := apply(ctx, remote, after, client.DryRunAll); err != nil {
			return fmt.Errorf("you may not make %s: %w", each, err)
		}
		if before.GetUID() != "" {
			each.found = compared(before, after.Unstructured)
		}
	}
	return nil
}

// compared says whether an object would change.
func compared(before, after *unstructured.Unstructured) state {
	before, after = before.DeepCopy(), after.DeepCopy()
	for _, each := range []*unstructured.Unstructured{before, after} {
		each.SetManagedFields(nil)
		each.SetResourceVersion("")
	}
	if equality.Semantic.DeepEqual(before.Object, after.Object) {
		return asItIs
	}
	return differs
}

// apply brings one object to what this release wants. o is then as the server has it.
func apply(ctx context.Context, remote client.Client, o object, options ...client.ApplyOption) error {
	wish := client.ApplyConfigurationFromUnstructured(o.Unstructured)
	return remote.Apply(ctx, wish, append(options, fieldOwner, client.ForceOwnership)...)
}

// undo deletes what was made, the last first. It goes on after an error.
func undo(ctx context.Context, remote *reach.Cluster, made []object) error {
	var failed []error
	for i := len(made) - 1; i >= 0; i-- {
		err := remote.Delete(ctx, made[i].DeepCopy())
		if client.IgnoreNotFound(err) != nil && !meta.IsNoMatchError(err) {
			failed = append(failed, fmt.Errorf("%s was made and could not be taken back: %w", made[i], err))
		}
	}
	return errors.Join(failed...)
}
