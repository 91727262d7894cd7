package placement

import "strings"

// A Configurer is a Strategy that can be configured. A host calls Configure before the first Place
// and never at the same time as Place.
type Configurer interface {
	// ConfigSchema is a JSON Schema; nil means that none is given. It is evaluated in the plugin's
	// own process, by the SDK, before Configure; a host evaluates none.
	ConfigSchema() []byte
	// Configure takes a JSON document, nil where there is none. It returns [Violations] for a
	// document that it does not like, and the strategy must then not be asked.
	Configure(config []byte) error
}

// A ConfigValidator is a Configurer that can tell what is wrong with a configuration without using
// it. A host asks it before it replaces a configuration that is in use, also while Place runs.
// Without it a fault that the schema does not show is found when the configuration is handed over,
// and the one before comes back.
type ConfigValidator interface {
	Configurer
	// ValidateConfig returns what Configure would return, and changes nothing.
	ValidateConfig(config []byte) error
}

// A Violation is one field of a configuration that cannot be used.
type Violation struct {
	Field   string // a path as in "clusters[0].zone"; "" is the whole document
	Message string
}

// Violations is the error of [Configurer].Configure: what is wrong, field by field.
type Violations []Violation

// Error lists the fields in their order.
func (v Violations) Error() string {
	parts := make([]string, len(v))
	for i, violation := range v {
		parts[i] = violation.String()
	}
	return "invalid configuration: " + strings.Join(parts, "; ")
}

// String is "field: message".
func (v Violation) String() string {
	if v.Field == "" {
		return v.Message
	}
	return v.Field + ": " + v.Message
}
