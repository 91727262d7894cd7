package labels

import (
	"fmt"
	"regexp"
	"strings"
)

// What labels may look like, and what Kubernetes says of others: its rules in
// k8s.io/apimachinery/pkg/api/validate/content, which a strategy must not import. They are held to
// its answers in testdata/kubernetes.json.
const (
	nameFormat   = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
	valueFormat  = "(" + nameFormat + ")?"
	prefixFormat = `[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`

	maxNameBytes, maxValueBytes, maxPrefixBytes = 63, 63, 253

	characters = "consist of alphanumeric characters, '-', '_' or '.', " +
		"and must start and end with an alphanumeric character"
	nameProblem = "must " + characters +
		" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '" + nameFormat + "')"
	valueProblem = "a valid label must be an empty string or " + characters +
		" (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '" + valueFormat + "')"
	prefixProblem = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
		"and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '" + prefixFormat + "')"
)

var (
	validName   = regexp.MustCompile("^" + nameFormat + "$")
	validValue  = regexp.MustCompile("^" + valueFormat + "$")
	validPrefix = regexp.MustCompile("^" + prefixFormat + "$")
)

// keyProblems returns what is wrong with a label's key: an optional prefix, "/", and a name.
func keyProblems(key string) []string {
	prefix, name, prefixed := strings.Cut(key, "/")
	if !prefixed {
		return nameProblems(key)
	}
	if strings.Contains(name, "/") {
		return []string{"a valid label key " + nameProblem +
			" with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"}
	}
	return append(prefixProblems(prefix), nameProblems(name)...)
}

func nameProblems(name string) []string {
	var problems []string
	if name == "" {
		problems = append(problems, "name part must be non-empty")
	}
	if len(name) > maxNameBytes {
		problems = append(problems, fmt.Sprintf("name part must be no more than %d bytes", maxNameBytes))
	}
	if !validName.MatchString(name) {
		problems = append(problems, "name part "+nameProblem)
	}
	return problems
}

func prefixProblems(prefix string) []string {
	if prefix == "" {
		return []string{"prefix part must be non-empty"}
	}
	var problems []string
	if len(prefix) > maxPrefixBytes {
		problems = append(problems, fmt.Sprintf("prefix part must be no more than %d bytes", maxPrefixBytes))
	}
	if !validPrefix.MatchString(prefix) {
		problems = append(problems, "prefix part "+prefixProblem)
	}
	return problems
}

// valueProblems returns what is wrong with a label's value.
func valueProblems(value string) []string {
	var problems []string
	if len(value) > maxValueBytes {
		problems = append(problems, fmt.Sprintf("must be no more than %d bytes", maxValueBytes))
	}
	if !validValue.MatchString(value) {
		problems = append(problems, valueProblem)
	}
	return problems
}
