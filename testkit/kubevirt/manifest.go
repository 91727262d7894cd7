package kubevirt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// documentStart opens each document of a stream that testkit/programs/kubevirt/manifests wrote; a
// JSON document has no line break.
var documentStart = []byte("---\n")

// readDocuments returns the JSON documents of a manifest file.
func readDocuments(path string) ([][]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	for line := range bytes.Lines(content) {
		if !bytes.Equal(line, documentStart) {
			documents = append(documents, bytes.TrimSpace(line))
		}
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("%s is empty: remove it and run `make tools`", path)
	}
	return documents, nil
}

// definition is a custom resource definition as it is sent to an API server, and what tells when
// its kind is served.
type definition struct {
	raw    []byte
	name   string
	plural string
	served []schema.GroupVersion
}

// readDefinitions reads the custom resource definitions in a manifest file.
func readDefinitions(path string) ([]definition, error) {
	documents, err := readDocuments(path)
	if err != nil {
		return nil, err
	}
	definitions := make([]definition, 0, len(documents))
	for _, raw := range documents {
		d, err := parseDefinition(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		definitions = append(definitions, d)
	}
	return definitions, nil
}

func parseDefinition(raw []byte) (definition, error) {
	var head struct {
		Metadata struct{ Name string }
		Spec     struct {
			Group    string
			Names    struct{ Plural string }
			Versions []struct {
				Name   string
				Served bool
			}
		}
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return definition{}, err
	}
	d := definition{raw: raw, name: head.Metadata.Name, plural: head.Spec.Names.Plural}
	for _, version := range head.Spec.Versions {
		if version.Served {
			d.served = append(d.served, schema.GroupVersion{Group: head.Spec.Group, Version: version.Name})
		}
	}
	return d, nil
}
