package kubeconfig

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// encodedToken reports whether a text is base64 of a JWT: whoever copies a token out of a Secret
// without decoding it has that.
func encodedToken(text string) bool {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	parts := strings.Split(string(decoded), ".")
	if len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Valid(claims)
}
