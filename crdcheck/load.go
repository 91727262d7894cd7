package crdcheck

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Load reads CRDs from a stream of YAML or JSON documents separated by "---", sorted by name. Lists are unpacked; documents of other
// kinds, and empty ones, are passed over, so that the manifests of a whole release can be read. It keeps the stream in memory, and
// reads it to its end.
//
// The error is a *multierror.Error with every document that is not valid, or a CRD of another API version than v1, or a second one of
// the same name; the CRDs that could be read are returned beside it.
func Load(stream io.Reader) ([]apiextensionsv1.CustomResourceDefinition, error) {
	var l loader
	documents := yaml.NewYAMLReader(bufio.NewReader(stream))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			l.failed = multierror.Append(l.failed, fmt.Errorf("document %d: %w", number, err))
			break
		}
		if err := l.add(document); err != nil {
			l.failed = multierror.Append(l.failed, fmt.Errorf("document %d: %w", number, err))
		}
	}
	slices.SortFunc(l.crds, func(a, b apiextensionsv1.CustomResourceDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return l.crds, l.failed.ErrorOrNil()
}

type loader struct {
	crds   []apiextensionsv1.CustomResourceDefinition
	failed *multierror.Error
}

func (l *loader) add(document []byte) error {
	var header metav1.TypeMeta
	if len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	if err := yaml.Unmarshal(document, &header); err != nil {
		return err
	}
	switch header.Kind {
	case "CustomResourceDefinition":
		return l.addDefinition(document, header)
	case "List", "CustomResourceDefinitionList":
		return l.addList(document)
	default:
		return nil
	}
}

func (l *loader) addDefinition(document []byte, header metav1.TypeMeta) error {
	if header.APIVersion != apiextensionsv1.SchemeGroupVersion.String() {
		return fmt.Errorf("apiVersion %q of a CustomResourceDefinition is not %s", header.APIVersion, apiextensionsv1.SchemeGroupVersion)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(document, &crd); err != nil {
		return err
	}
	if want := crd.Spec.Names.Plural + "." + crd.Spec.Group; crd.Name != want {
		return fmt.Errorf("name %q of a CustomResourceDefinition is not %q", crd.Name, want)
	}
	if len(crd.Spec.Versions) == 0 {
		return fmt.Errorf("%s has no versions", crd.Name)
	}
	if slices.ContainsFunc(l.crds, func(known apiextensionsv1.CustomResourceDefinition) bool { return known.Name == crd.Name }) {
		return fmt.Errorf("a second definition of %s", crd.Name)
	}
	if twice := repeated(crd.Spec.Versions); twice != "" {
		return fmt.Errorf("%s has version %s twice", crd.Name, twice)
	}
	l.crds = append(l.crds, crd)
	return nil
}

func (l *loader) addList(document []byte) error {
	var list struct {
		Items []runtime.RawExtension `json:"items"`
	}
	if err := yaml.Unmarshal(document, &list); err != nil {
		return err
	}
	var failed *multierror.Error
	for i, item := range list.Items {
		if err := l.add(item.Raw); err != nil {
			failed = multierror.Append(failed, fmt.Errorf("item %d: %w", i, err))
		}
	}
	return failed.ErrorOrNil()
}
