package desired

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	// cloudConfigHeader is the first line of a cloud-config.
	cloudConfigHeader = "#cloud-config"

	// keysField is where a cloud-config has SSH keys.
	keysField = "ssh_authorized_keys"
)

// addKeys returns a cloud-config with SSH keys. They are added as text, so that everything in it
// stays as it is, and the result is read again: text that is added behind the end of a document
// makes cloud-init drop all of it, and then no one can log in. Keys cannot be added to a script, or
// beside keys that stand there already.
func addKeys(userData []byte, keys []string) ([]byte, error) {
	var config map[string]any
	header, body, _ := bytes.Cut(userData, []byte("\n"))
	if err := yaml.Unmarshal(userData, &config); err != nil || strings.TrimSpace(string(header)) != cloudConfigHeader {
		return nil, invalid("sshKeys can be added to user data that is a %s, and this is none", cloudConfigHeader)
	}
	if _, taken := config[keysField]; taken {
		return nil, invalid("sshKeys is set, and the user data has %s of its own: set one of them", keysField)
	}
	added, err := yaml.Marshal(map[string][]string{keysField: keys})
	if err != nil { // YAML has no way to write most control characters
		return nil, invalid("sshKeys has a character that no cloud-config can hold: a key is one line of printable text")
	}
	for _, result := range [][]byte{appended(userData, added), withMember(header, body, keys)} {
		if result != nil && hasKeys(result, config, keys) {
			return result, nil
		}
	}
	return nil, invalid("sshKeys cannot be added to this user data, which is not one plain mapping: put %s into it",
		keysField)
}

func appended(userData, added []byte) []byte {
	return bytes.Join([][]byte{bytes.TrimSuffix(userData, []byte("\n")), added}, []byte("\n"))
}

// withMember adds the keys to a cloud-config that is written as JSON, or returns nil.
func withMember(header, body []byte, keys []string) []byte {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return nil
	}
	members[keysField] = text
	result, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return bytes.Join([][]byte{header, result, nil}, []byte("\n"))
}

// hasKeys says whether a cloud-config reads as what it was before and the keys, and has nothing
// behind that.
func hasKeys(result []byte, before map[string]any, keys []string) bool {
	var after map[string]any
	if err := yaml.Unmarshal(result, &after); err != nil {
		return false
	}
	got, _ := after[keysField].([]any)
	if len(got) != len(keys) {
		return false
	}
	for i := range keys {
		if got[i] != keys[i] {
			return false
		}
	}
	delete(after, keysField)
	return len(after) == len(before) && (len(after) == 0 || reflect.DeepEqual(before, after))
}
