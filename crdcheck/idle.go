package crdcheck

import "strings"

// dropIdle removes branches that refuse nothing: one that says nothing is met by everything. A
// property of a branch that says nothing has no effect either: branches name no fields.
func dropIdle(s schema, key string) {
	branches, isList := s[key].([]any)
	if !isList {
		return
	}
	var kept []any
	for _, branch := range branches {
		b, isSchema := branch.(schema)
		if isSchema {
			dropIdleProperties(b)
		}
		if !isSchema || len(b) > 0 {
			kept = append(kept, branch)
		}
	}
	idle := len(kept) < len(branches)
	switch {
	case key == keyAllOf:
		s[key] = kept
	case key == keyAnyOf && idle, key == keyOneOf && idle && len(branches) == 1:
		delete(s, key)
	}
}

func dropIdleProperties(branch schema) {
	named, isObject := branch[keyProperties].(schema)
	if !isObject {
		return
	}
	for name, property := range named {
		if p, isSchema := property.(schema); isSchema {
			dropIdleProperties(p)
			if len(p) == 0 {
				delete(named, name)
			}
		}
	}
	if len(named) == 0 {
		delete(branch, keyProperties)
	}
}

// withoutSpace removes from a CEL rule the white space that means nothing. A rule whose texts are
// not plain is left as it is.
func withoutSpace(rule string) string {
	if strings.ContainsAny(rule, `\`+"`") || strings.Contains(rule, `"""`) || strings.Contains(rule, "'''") ||
		strings.Contains(rule, "//") {
		return strings.TrimSpace(rule)
	}
	var b strings.Builder
	var quote, last rune
	space := false
	for _, r := range rule {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune(" \t\r\n", r):
			space = true
			continue
		case r == '"' || r == '\'':
			quote = r
		}
		if space && (isWord(last) && (isWord(r) || quote != 0) || last == r) {
			b.WriteByte(' ')
		}
		space, last = false, r
		b.WriteRune(r)
	}
	return b.String()
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
