package crdcheck

import (
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The fields that every object has, and every one that is embedded in another.
const (
	fieldAPIVersion = "apiVersion"
	fieldKind       = "kind"
	fieldMetadata   = "metadata"
)

// effective returns a schema without the keywords that have no effect where they stand, and with
// the fields that are always there. It does not change its argument, and returns it where nothing
// is to be done. whole says that the schema is that of an object.
func effective(s *apiextensionsv1.JSONSchemaProps, whole bool) *apiextensionsv1.JSONSchemaProps {
	format := effectiveFormat(s.Type, s.Format)
	idle := s.XPreserveUnknownFields != nil && isScalar(s.Type)
	whole = whole || s.XEmbeddedResource
	most, nullable := effectiveMost(s, whole), s.Nullable && !refusesNull(s.Enum)
	anyMultiple := s.Type == "integer" && s.MultipleOf != nil && *s.MultipleOf == 1
	if format == s.Format && !idle && !whole && !anyMultiple && most == s.MaxProperties && nullable == s.Nullable {
		return s
	}
	copied := *s
	if anyMultiple {
		copied.MultipleOf = nil
	}
	copied.Format, copied.MaxProperties, copied.Nullable = format, most, nullable
	if idle {
		copied.XPreserveUnknownFields = nil // a value that is no object has no fields
	}
	if whole {
		copied.Properties = withAlwaysThere(s.Properties)
		copied.Required = slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool {
			return name == fieldAPIVersion || name == fieldKind || name == fieldMetadata && !s.XEmbeddedResource
		})
	}
	return &copied
}

// effectiveMost is what the server makes of maxProperties: it drops fields that are not listed before
// it counts, so that an object without others never has more than it lists.
func effectiveMost(s *apiextensionsv1.JSONSchemaProps, whole bool) *int64 {
	closed := s.Type == "object" && s.AdditionalProperties == nil && s.XPreserveUnknownFields == nil && !whole
	if closed && s.MaxProperties != nil && *s.MaxProperties >= int64(len(s.Properties)) {
		return nil
	}
	return s.MaxProperties
}

// refusesNull reports whether an enumeration lacks null, which the server then refuses wherever it
// is nullable.
func refusesNull(enum []apiextensionsv1.JSON) bool {
	return len(enum) > 0 &&
		!slices.ContainsFunc(enum, func(value apiextensionsv1.JSON) bool { return string(value.Raw) == "null" })
}

func isScalar(kind string) bool {
	return kind == "string" || kind == "integer" || kind == "number" || kind == "boolean"
}

// withAlwaysThere are the properties of an object. The server looks at metadata by itself, and
// takes from a schema what it says of name and generateName alone.
func withAlwaysThere(declared map[string]apiextensionsv1.JSONSchemaProps) map[string]apiextensionsv1.JSONSchemaProps {
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	properties := maps.Clone(declared)
	if properties == nil {
		properties = map[string]apiextensionsv1.JSONSchemaProps{}
	}
	metadata := map[string]apiextensionsv1.JSONSchemaProps{}
	for _, name := range []string{"name", "generateName"} {
		metadata[name] = text
		if restricted, is := declared[fieldMetadata].Properties[name]; is {
			restricted.Type = "string"
			metadata[name] = restricted
		}
	}
	properties[fieldAPIVersion], properties[fieldKind] = text, text
	properties[fieldMetadata] = apiextensionsv1.JSONSchemaProps{Type: "object", Properties: metadata}
	return properties
}

// textFormats are those of texts that API servers look at, without dashes. One that an older server
// does not know is ignored there. "password" is left out: it is any text. They are those of
// k8s.io/apiextensions-apiserver/pkg/apiserver/validation, which package admit's tests hold them to.
var textFormats = map[string]bool{
	"bsonobjectid": true, "uri": true, "email": true, "hostname": true, "ipv4": true, "ipv6": true, "cidr": true,
	"mac": true, "uuid": true, "uuid3": true, "uuid4": true, "uuid5": true, "isbn": true, "isbn10": true, "isbn13": true,
	"creditcard": true, "ssn": true, "hexcolor": true, "rgbcolor": true, "byte": true, "date": true, "duration": true,
	"datetime": true, "k8sshortname": true, "k8slongname": true,
}

// effectiveFormat is what the server makes of a format: it ignores those that it does not know for
// a type, and does not look at dashes. No server holds an integer of more than 64 bits, nor a
// number that is no double.
func effectiveFormat(kind, format string) string {
	switch kind {
	case "integer":
		if format == "int32" {
			return format
		}
	case "number":
		if format == "float" {
			return format
		}
	case "string", "":
		if plain := strings.ReplaceAll(format, "-", ""); textFormats[plain] {
			return plain
		}
	}
	return ""
}
