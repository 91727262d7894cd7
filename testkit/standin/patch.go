package standin

import (
	"bytes"
	"strconv"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// alter makes one object of another. It fails where the change does not fit.
type alter func(before []byte) (after []byte, err error)

// patched returns how a patch of a kind changes an object.
func patched(kind types.PatchType, patch []byte) (alter, error) {
	switch kind {
	case types.MergePatchType:
		return func(before []byte) ([]byte, error) { return jsonpatch.MergePatch(before, patch) }, nil
	case types.JSONPatchType:
		operations, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return operations.Apply, nil
	default:
		return nil, unsupported(string(kind))
	}
}

// replaced is how an update changes an object.
func replaced(body []byte) alter { return func([]byte) ([]byte, error) { return body, nil } }

// change alters an object, or its status alone. What changes nothing makes no event.
func (c *Cluster) change(r resource, k key, subresource string, by alter, trial bool) (*stored, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, err := c.find(r, k)
	if err != nil {
		return nil, err
	}
	was, err := before.decode()
	if err != nil {
		return nil, err
	}
	body, err := by(bytes.Clone(before.body))
	if err != nil {
		return nil, apierrors.NewInvalid(was.GroupVersionKind().GroupKind(), k.name, nil)
	}
	object, err := decode(body)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if asked := object.GetResourceVersion(); asked != "" && asked != strconv.FormatInt(before.revision, 10) {
		return nil, conflict(r, k,
			"the object has been modified; please apply your changes to the latest version and try again")
	}
	if uid := object.GetUID(); uid != "" && uid != before.uid {
		return nil, conflict(r, k, "the UID in the precondition is not that of the object")
	}
	object = written(r, subresource, was, object)
	if equality.Semantic.DeepEqual(was.Object, object.Object) {
		return before, nil
	}
	if object.GetDeletionTimestamp() != nil && len(object.GetFinalizers()) == 0 && !trial {
		return before, c.drop(r, before)
	}
	return c.keep(r, before, object, trial)
}

// written takes over what may be written: of the object or of its status alone.
func written(r resource, subresource string, was, object *unstructured.Unstructured) *unstructured.Unstructured {
	if subresource == "status" {
		status, has := object.Object["status"]
		object = was.DeepCopy()
		delete(object.Object, "status")
		if has {
			object.Object["status"] = status
		}
		return object
	}
	if r.status {
		delete(object.Object, "status")
		if status, has := was.Object["status"]; has {
			object.Object["status"] = status
		}
	}
	object.SetUID(was.GetUID())
	object.SetCreationTimestamp(was.GetCreationTimestamp())
	object.SetDeletionTimestamp(was.GetDeletionTimestamp())
	object.SetResourceVersion(was.GetResourceVersion())
	object.SetNamespace(was.GetNamespace())
	object.SetName(was.GetName())
	object.SetGeneration(was.GetGeneration())
	if !equality.Semantic.DeepEqual(was.Object["spec"], object.Object["spec"]) {
		object.SetGeneration(was.GetGeneration() + 1)
	}
	return object
}
