package kubeconfig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	lineOfError  = regexp.MustCompile(`line (\d+)`)
	tabAtStart   = regexp.MustCompile(`^ *\t`)
	looksLikeOne = regexp.MustCompile(`(?m)^\s*\{?\s*"?(clusters|users|contexts|apiVersion)"?\s*:`)
)

// document returns the mapping that a file consists of. It refuses whatever lets a short text stand
// for a long one, or for another one: aliases, merged mappings and tags.
func document(data []byte) (*yaml.Node, error) {
	if len(data) > maxBytes {
		return nil, refuse("", fmt.Sprintf("is larger than %d bytes", maxBytes))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		return nil, refuse("", "is empty")
	}
	if err != nil {
		return nil, refuse("", whyNoYAML(data, err))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) && (err != nil || !isNull(second.Content[0])) {
		return nil, refuse("", "has more than one YAML document")
	}
	root := first.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, refuse("", whyNoMapping(root))
	}
	return root, refuseTricks(root)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// whyNoYAML tells the line of a parser's error and nothing else of it: the rest may quote the file.
func whyNoYAML(data []byte, err error) string {
	for number, line := range strings.Split(string(data), "\n") {
		if tabAtStart.MatchString(line) {
			return fmt.Sprintf("is no YAML: line %d is indented with a tab, which YAML does not allow", number+1)
		}
	}
	if found := lineOfError.FindStringSubmatch(err.Error()); found != nil {
		return "is neither YAML nor JSON, near line " + found[1]
	}
	return "is neither YAML nor JSON"
}

func whyNoMapping(root *yaml.Node) string {
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(root.Value), ""))
	if root.Kind == yaml.ScalarNode && err == nil && looksLikeOne.Match(text) {
		return "is base64 of a kubeconfig: it was encoded once too often"
	}
	return "is no mapping with clusters, users and contexts"
}

// refuseTricks looks at every node. A kubeconfig that a tool wrote has none of these.
func refuseTricks(node *yaml.Node) error {
	switch {
	case node.Kind == yaml.AliasNode:
		return refuse("", fmt.Sprintf("has a YAML alias on line %d", node.Line))
	case node.Style&yaml.TaggedStyle != 0:
		return refuse("", fmt.Sprintf("has a YAML tag on line %d", node.Line))
	case node.ShortTag() == "!!merge":
		return refuse("", fmt.Sprintf("has a YAML merge key on line %d", node.Line))
	}
	for _, child := range node.Content {
		if err := refuseTricks(child); err != nil {
			return err
		}
	}
	return nil
}
