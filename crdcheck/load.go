package crdcheck

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/json"
)

// Stream is what a stream of documents holds.
type Stream struct {
	// CRDs are sorted by name.
	CRDs []apiextensionsv1.CustomResourceDefinition
	// Lines are where the document of each definition begins, by its name, from 1.
	Lines map[string]int
	// Others are how many objects of other kinds were passed over, by kind; "" is an object without
	// one. Lists are unpacked: only one that is empty is counted here.
	Others map[string]int
	// Dropped are the keys of the definitions that the API server does not know, in the order of the
	// stream.
	Dropped []DroppedKey
}

// Load reads CRDs from a stream of YAML or JSON documents separated by "---", sorted by name. Lists
// are unpacked; documents of other kinds, and empty ones, are passed over, so that the manifests of
// a whole release can be read. It keeps the stream in memory, and reads it to its end or to 64 MiB.
//
// The error is a *multierror.Error with a *LoadError for every document that is not valid, or has a
// key twice, or is a CRD of another API version than v1, or a second one of the same name; the CRDs
// that could be read are returned beside it.
func Load(stream io.Reader) ([]apiextensionsv1.CustomResourceDefinition, error) {
	s, err := LoadStream(stream)
	return s.CRDs, err
}

// LoadStream is Load, and says where the definitions are and what else there is.
func LoadStream(stream io.Reader) (Stream, error) {
	l := loader{Stream: Stream{Lines: map[string]int{}, Others: map[string]int{}}}
	l.check.fields = map[reflect.Type]map[string]reflect.Type{}
	err := eachDocument(stream, func(encoded []byte, d document) error {
		l.document, l.path = d, ""
		return l.add(encoded)
	})
	slices.SortFunc(l.CRDs, func(a, b apiextensionsv1.CustomResourceDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return l.Stream, err
}

type loader struct {
	Stream

	document document // that is being read
	path     string   // of the object in the document, "items[3]" in a list
	check    keyCheck
}

// add reads one object, in JSON.
func (l *loader) add(object []byte) error {
	var header metav1.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &header); err != nil {
		return err
	}
	switch header.Kind {
	case "CustomResourceDefinition":
		return l.addDefinition(object, header)
	case "List", "CustomResourceDefinitionList":
		return l.addList(object, header)
	default:
		l.Others[header.Kind]++
		return nil
	}
}

func (l *loader) addDefinition(object []byte, header metav1.TypeMeta) error {
	if header.APIVersion != apiextensionsv1.SchemeGroupVersion.String() {
		return fmt.Errorf(
			"apiVersion %q of a CustomResourceDefinition is not %s", header.APIVersion, apiextensionsv1.SchemeGroupVersion,
		)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &crd); err != nil {
		return err
	}
	if crd.Spec.Names.Plural == "" && crd.Spec.Group == "" && len(crd.Spec.Versions) == 0 {
		return fmt.Errorf("%s has no group, no plural and no versions: is it a patch?", crd.Name)
	}
	if want := crd.Spec.Names.Plural + "." + crd.Spec.Group; crd.Name != want {
		return fmt.Errorf("name %q of a CustomResourceDefinition is not %q", crd.Name, want)
	}
	if len(crd.Spec.Versions) == 0 {
		return fmt.Errorf("%s has no versions", crd.Name)
	}
	if slices.ContainsFunc(
		l.CRDs, func(known apiextensionsv1.CustomResourceDefinition) bool { return known.Name == crd.Name },
	) {
		return fmt.Errorf("a second definition of %s", crd.Name)
	}
	if twice := repeated(crd.Spec.Versions); twice != "" {
		return fmt.Errorf("%s has version %s twice", crd.Name, twice)
	}
	l.CRDs, l.Lines[crd.Name] = append(l.CRDs, crd), l.document.firstLine()
	l.addDropped(object, crd.Name)
	return nil
}

// addDropped notes the keys of a definition that nobody reads.
func (l *loader) addDropped(object []byte, name string) {
	keys := l.check.droppedKeys(object, l.path)
	if len(keys) == 0 {
		return
	}
	lines := l.document.linesOf(keys)
	for _, key := range keys {
		line := cmp.Or(lines[key], l.document.firstLine())
		l.Dropped = append(l.Dropped, DroppedKey{CRD: name, Key: strings.TrimPrefix(key, l.path+"."), Line: line})
	}
}

func (l *loader) addList(object []byte, header metav1.TypeMeta) error {
	var list struct {
		Items []runtime.RawExtension `json:"items"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &list); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		l.Others[header.Kind]++
	}
	var failed *multierror.Error
	path := field(l.path, "items")
	for i, item := range list.Items {
		l.path = fmt.Sprintf("%s[%d]", path, i)
		object, err := onlyObject(item.Raw)
		if err == nil && object != nil {
			err = l.add(object)
		}
		if err != nil {
			failed = multierror.Append(failed, fmt.Errorf("item %d: %w", i, err))
		}
	}
	return failed.ErrorOrNil()
}
