package kubeconfig

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"time"
)

// maxTime is the last second of the year 9999, after which times have no common form.
const maxTime = 253402300799

// endOf returns the time in a token's claim exp; zero where the token is no JWT or has none. The
// signature is not verified: the time is shown, and decides nothing.
func endOf(token string) time.Time {
	claims, found := claimsOf(token)
	if !found || claims.Exp == nil || !(*claims.Exp > 0 && *claims.Exp <= maxTime) {
		return time.Time{}
	}
	seconds, fraction := math.Modf(*claims.Exp)
	return time.Unix(int64(seconds), int64(fraction*1e9)).UTC()
}

type claims struct {
	Exp *float64 `json:"exp"` // seconds since 1970 (RFC 7519, NumericDate)
}

// claimsOf reads the middle part of a JWT.
func claimsOf(token string) (read claims, found bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	document, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(document, &read) != nil {
		return claims{}, false
	}
	return read, true
}

// encodedToken reports whether a text is base64 of a JWT: whoever copies a token out of a Secret
// without decoding it has that.
func encodedToken(text string) bool {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	_, found := claimsOf(strings.TrimSpace(string(decoded)))
	return found
}
