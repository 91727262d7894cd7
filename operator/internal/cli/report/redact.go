package report

import (
	"fmt"
	"regexp"
	"strings"
)

// redacted stands where something was.
const redacted = "REDACTED"

// hidden are the names of fields whose values are taken out wherever they stand, in lower case and
// without signs.
var hidden = map[string]bool{
	"userdata": true, "userdatabase64": true, "networkdata": true, "networkdatabase64": true, "cloudinit": true,
	"sshkeys": true, "sshauthorizedkeys": true, "token": true, "bearertoken": true, "password": true, "passwd": true,
	"kubeconfig": true, "clientkeydata": true, "privatekey": true, "stringdata": true, "binarydata": true,
	"secretkey": true, "accesskey": true, "credentials": true, "authorization": true,
}

// dropped are fields that are long and tell nothing, or have a copy of everything.
var dropped = map[string]bool{
	"managedFields": true, "kubectl.kubernetes.io/last-applied-configuration": true,
}

// secretWords are in the names of variables whose values are taken out.
var secretWords = []string{"TOKEN", "PASSWORD", "SECRET", "CREDENTIAL", "PRIVATE", "APIKEY", "API_KEY"}

// The shapes of secrets in free text: JSON web tokens, blocks of PEM, passwords in addresses,
// headers, and assignments.
var (
	webToken   = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)
	pemBlock   = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|$)`)
	encodedPEM = regexp.MustCompile(`LS0tLS1CRUdJTi[A-Za-z0-9+/=\r\n]+`)
	userInfo   = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@`)
	bearer     = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)
	assignment = regexp.MustCompile(`(?i)\b([a-z_-]*(?:token|password|passwd|secret|api[_-]?key)["']?\s*[:=]\s*)` +
		`("[^"]*"|'[^']*'|[^\s,;"'{}\[\]]+)`)
)

// Text takes secrets out of free text, as that of logs and Events.
func Text(text string) string {
	text = pemBlock.ReplaceAllString(text, redacted)
	text = encodedPEM.ReplaceAllString(text, redacted)
	text = webToken.ReplaceAllString(text, redacted)
	text = userInfo.ReplaceAllString(text, "${1}"+redacted+"@")
	text = bearer.ReplaceAllString(text, "$1 "+redacted)
	return assignment.ReplaceAllString(text, "${1}"+redacted)
}

// Redact returns an object without its secrets. It is pure: the object is not changed.
func Redact(object map[string]any) map[string]any {
	if kind, _ := object["kind"].(string); kind == "Secret" {
		return secretOutline(object)
	}
	clean, _ := value("", object).(map[string]any)
	return clean
}

// secretOutline is what may be known of a Secret: its name, its type and the names of its keys.
func secretOutline(object map[string]any) map[string]any {
	outline := map[string]any{"apiVersion": object["apiVersion"], "kind": "Secret", "type": object["type"]}
	if meta, ok := object["metadata"].(map[string]any); ok {
		outline["metadata"] = map[string]any{"name": meta["name"], "namespace": meta["namespace"]}
	}
	keys := map[string]any{}
	for _, part := range []string{"data", "stringData"} {
		entries, _ := object[part].(map[string]any)
		for key := range entries {
			keys[key] = redacted
		}
	}
	outline["data"] = keys
	return outline
}

// value is a value without secrets. name is that of the field which has it.
func value(name string, of any) any {
	if hidden[plain(name)] {
		return outlineOf(of)
	}
	switch of := of.(type) {
	case map[string]any:
		return entries(of)
	case []any:
		all := make([]any, len(of))
		for i := range of {
			all[i] = value("", of[i])
		}
		return all
	case string:
		return Text(of)
	}
	return of
}

// entries are the fields of an object. An entry {name, value} is a variable or a header, whose name
// says whether its value is a secret.
func entries(of map[string]any) map[string]any {
	all := map[string]any{}
	named, _ := of["name"].(string)
	for key, each := range of {
		if dropped[key] {
			continue
		}
		if _, isText := each.(string); key == "value" && isText && isSecretName(named) {
			all[key] = redacted
			continue
		}
		all[key] = value(key, each)
	}
	return all
}

func isSecretName(name string) bool {
	for _, word := range secretWords {
		if strings.Contains(strings.ToUpper(name), word) {
			return true
		}
	}
	return false
}

// outlineOf keeps the form of what is hidden: which documents a cloud-init has, and how long they
// are, is often the answer.
func outlineOf(of any) any {
	switch of := of.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, each := range of {
			if strings.HasSuffix(key, "Ref") {
				all[key] = value(key, each) // the name of a Secret, not its content
				continue
			}
			all[key] = outlineOf(each)
		}
		return all
	case []any:
		return fmt.Sprintf("%s (%d entries)", redacted, len(of))
	case string:
		return fmt.Sprintf("%s (%d bytes)", redacted, len(of))
	case nil:
		return nil
	}
	return redacted
}

// plain is the name of a field in lower case, without signs.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == '_' || r == '.':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, name)
}
