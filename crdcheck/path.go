package crdcheck

import (
	"strconv"
	"strings"
)

const (
	anyItem  = "[]"  // the items of a list
	anyValue = "[*]" // the values of a map
)

// field returns the path of a field. Names that could be taken for something else are quoted:
// spec["a.b"].
func field(path, name string) string {
	switch {
	case name == "" || strings.ContainsAny(name, `.[]"|`):
		return path + "[" + strconv.Quote(name) + "]"
	case path == "":
		return name
	default:
		return path + "." + name
	}
}

// ancestors returns every prefix of a path that ends a segment, the path itself last:
// spec.disks[].name gives spec, spec.disks, spec.disks[] and itself.
func ancestors(path string) []string {
	var found []string
	for i := 1; i < len(path); i++ {
		if quoted, err := strconv.QuotedPrefix(path[i-1:]); err == nil && path[i-1] == '"' {
			i += len(quoted) - 1 // to behind the closing quote
		}
		if i < len(path) && (path[i] == '.' || path[i] == '[') {
			found = append(found, path[:i])
		}
	}
	return append(found, path)
}
