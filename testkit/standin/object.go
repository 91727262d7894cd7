package standin

import (
	"maps"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
)

// key names an object of a kind.
type key struct{ namespace, name string }

// stored is an object as it is kept: encoded, with what is asked for most. It is never changed.
type stored struct {
	key      key
	uid      types.UID
	revision int64
	labels   labels.Set
	owners   []types.UID
	body     []byte
}

// store encodes an object for keeping. The object is not used any more.
func store(object *unstructured.Unstructured) (*stored, error) {
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	revision, err := strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return nil, err
	}
	s := &stored{
		key: keyOf(object), uid: object.GetUID(), revision: revision, labels: maps.Clone(object.GetLabels()), body: body,
	}
	for _, owner := range object.GetOwnerReferences() {
		s.owners = append(s.owners, owner.UID)
	}
	return s, nil
}

func keyOf(object metav1.Object) key { return key{object.GetNamespace(), object.GetName()} }

// decode returns the object as a copy.
func (s *stored) decode() (*unstructured.Unstructured, error) { return decode(s.body) }

func decode(body []byte) (*unstructured.Unstructured, error) {
	object := map[string]any{}
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: object}, nil
}

// selection chooses objects of a kind. Its fields are those of a list's or a watch's query.
type selection struct {
	namespace string // "" for all
	name      string // "" for all
	labels    labels.Selector
}

func (s selection) has(object *stored) bool {
	return s.hasKey(object.key) && s.labels.Matches(object.labels)
}

func (s selection) hasKey(k key) bool {
	return (s.namespace == "" || s.namespace == k.namespace) && (s.name == "" || s.name == k.name)
}
