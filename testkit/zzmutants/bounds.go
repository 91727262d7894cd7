package observer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// The bounds of what the operator tells. A person reads it, and each Machine's is kept by everybody
// who follows Machines.
const (
	maxStatus     = 64 << 10
	maxText       = 4 << 10
	maxConditions = 32
)

// unbounded finds statuses and Events that are too large, or have characters that a terminal or a log
// would take for commands (I16).
func unbounded(s seen) []Violation {
	var found []Violation
	for _, resource := range []string{machines, configs, moves, events} {
		for _, l := range s.of(fleet.Supervisor, resource) {
			problem := boundless(told(l))
			if resource == events && !s.isOurEvent(l) || problem == "" {
				continue
			}
			found = append(found, Violation{Invariant: "I16", Cluster: fleet.Supervisor, Object: l.object(), At: l.Seen,
				Message: problem, about: []types.UID{l.UID}})
		}
	}
	return found
}

// told is what the operator writes of an object for people.
func told(l life) map[string]any {
	if l.Resource == events {
		return map[string]any{"note": l.Object.Object["note"], "reason": l.Object.Object["reason"]}
	}
	status, _, _ := unstructured.NestedMap(l.Object.Object, "status")
	return status
}

// isOurEvent reports whether an Event is about what the operator tells of.
func (s seen) isOurEvent(l life) bool {
	version, _, _ := unstructured.NestedString(l.Object.Object, "regarding", "apiVersion")
	return strings.HasPrefix(version, "vitistack.io/")
}

// boundless says what is wrong with a status, "" for nothing.
func boundless(status map[string]any) string {
	if conditions, _, _ := unstructured.NestedSlice(status, "conditions"); len(conditions) > maxConditions {
		return fmt.Sprintf("it has %d conditions", len(conditions))
	}
	size, problem := 0, ""
	each(status, "", func(path, text string) {
		size += len(text)
		switch {
		case problem != "":
		case len(text) > maxText:
			problem = fmt.Sprintf("%s has %d bytes", path, len(text))
		case !utf8.ValidString(text):
			problem = fmt.Sprintf("%s is not UTF-8", path)
		case strings.ContainsFunc(text, isControl):
			problem = fmt.Sprintf("%s has a control character: %q", path, text)
		}
	})
	if problem == "" && size > maxStatus {
		problem = fmt.Sprintf("it has %d bytes of text", size)
	}
	return problem
}

// isControl reports whether a character may steer a terminal. Lines may end.
func isControl(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029')
}

// each calls do for each text of a value, names of fields included.
func each(value any, path string, do func(path, text string)) {
	switch v := value.(type) {
	case string:
		do(path, v)
	case []any:
		for i, element := range v {
			each(element, fmt.Sprintf("%s[%d]", path, i), do)
		}
	case map[string]any:
		for name, element := range v {
			do(path+" (a name)", name)
			each(element, path+"."+name, do)
		}
	}
}
