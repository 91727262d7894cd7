package kubeconfig

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// hidden is what stands in place of a Secret.
const hidden = "[hidden]"

// Secret is a text that comes out by Reveal alone. Printing or marshalling it, or a value that
// holds it in an exported or unexported field, shows nothing of it. The zero Secret is "". It is
// immutable.
type Secret struct {
	// A pointer, because fmt looks into unexported fields without asking for their methods.
	text *string
}

// NewSecret returns a Secret with a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether two Secrets have the same text, in a time that does not tell where they
// differ.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String returns "[hidden]", or "" for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// Format prints String whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText returns String. JSON and YAML have that.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
