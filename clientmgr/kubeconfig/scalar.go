package kubeconfig

import (
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// older are the words that YAML 1.1, which client-go reads, takes for true or false.
var older = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)

// omitted is what kubectl config view shows in place of a secret.
var omitted = []string{"DATA+OMITTED", "REDACTED"}

func (s shape) checkScalar(path string, value *yaml.Node) error {
	switch {
	case value.Kind != yaml.ScalarNode:
		return refuse(path, "is no text")
	case s.form == boolean && value.ShortTag() != "!!bool":
		return refuse(path, "is not true or false")
	case s.form != text && s.form != boolean && slices.Contains(omitted, value.Value):
		return refuse(path, "was left out by kubectl config view; it is there with --raw")
	case s.form == verbatim && ambiguous(value):
		return refuse(path, "is no text for YAML; it needs quotation marks")
	case s.form == encoded:
		if problem := whyNotEncoded(value); problem != "" {
			return refuse(path, problem)
		}
	}
	return nil
}

// ambiguous reports whether a decoder makes another text of a scalar without quotation marks: 0123
// becomes 83, and yes becomes true.
func ambiguous(value *yaml.Node) bool {
	switch value.ShortTag() {
	case "!!int":
		number, err := strconv.ParseUint(value.Value, 10, 64)
		return err != nil || strconv.FormatUint(number, 10) != value.Value
	case "!!float", "!!bool":
		return true
	}
	return value.Style == 0 && older.MatchString(value.Value)
}

// whyNotEncoded returns why a value is not base64 of PEM, or "".
func whyNotEncoded(value *yaml.Node) string {
	if strings.Contains(value.Value, "-----BEGIN") {
		return "is PEM; a kubeconfig has base64 of it"
	}
	once, err := base64.StdEncoding.DecodeString(value.Value)
	if err != nil || value.ShortTag() != "!!str" {
		return "is not base64"
	}
	if block, _ := pem.Decode(once); block != nil || len(once) == 0 {
		return ""
	}
	twice, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(once)))
	if block, _ := pem.Decode(twice); err == nil && block != nil {
		return "is base64 encoded twice"
	}
	return "is base64, but not of PEM"
}
