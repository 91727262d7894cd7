package crdcheck_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// boat is a definition with these versions.
func boat(t *testing.T, versions string) crdcheck.Snapshot {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	err := yaml.UnmarshalStrict([]byte(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example}
spec: {group: harbour.example, scope: Namespaced, names: {plural: boats, kind: Boat}, versions: `+versions+"}"), &crd)
	if err != nil {
		t.Fatal(err)
	}
	return crdcheck.Observed("harbour", crd)
}

// v1 is one version, served and stored.
func v1(properties, more string) string {
	return "[{name: v1, served: true, storage: true" + more + ", schema: {openAPIV3Schema: {type: object, properties: {" +
		properties + "}}}}]"
}

func spec(schema string) string { return v1("spec: "+schema, "") }

const (
	crew     = "{type: object, properties: {crew: {type: array, items: {type: object, required: [id], properties: {id: {type: string}}}"
	crewMap  = crew + ", x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [id]}}}"
	crewList = crew + "}}}"
)

// TestEffects are changes whose effect is another one than the words suggest. The verdicts are
// those of an API server.
func TestEffects(t *testing.T) {
	const served = ", subresources: {status: {}}"
	mast := `[{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, ` +
		`properties: {mast: {type: string}}}}}}}]`
	stored := `[{name: v1beta1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: ` +
		`{type: object, properties: {mast: {type: string}, sail: {type: string}}}}}}}]`
	moved := `[{name: v1beta1, served: false, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: ` +
		`{type: object, properties: {mast: {type: string}, sail: {type: string}}}}}}}, ` + mast[1:]
	both := `[{name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: ` +
		`{type: object, properties: {mast: {type: string}, sail: {type: string}}}}}}}, ` + mast[1:]
	named := "spec: {type: object}, metadata: {type: object, properties: {name: {type: string, maxLength: 10}}}"
	cases := map[string]struct {
		reason     string
		old, found string
		want, back []string // rule, path and direction; back is the other way round
	}{
		"names become shorter": {
			reason: "the server holds what a schema says of metadata.name",
			old:    v1("spec: {type: object}", ""), found: v1(named, ""),
			want: []string{"max-length-tightened metadata.name write"},
			back: []string{"max-length-loosened metadata.name write"},
		},
		"what always exists is spelled out no longer": {
			reason: "an object has apiVersion, kind and metadata whatever its schema says",
			old: v1("apiVersion: {type: string}, kind: {type: string}, metadata: {type: object, properties: {labels: "+
				"{type: object}}}, spec: {type: object}", ""),
			found: v1("spec: {type: object}", ""),
		},
		"metadata is required": {
			reason: "an object that has none cannot be written",
			old:    spec("{type: object}"),
			found: "[{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, required: [apiVersion, kind, " +
				"metadata], properties: {spec: {type: object}}}}}]",
		},
		"an embedded object spells them out": {
			reason: "so does an object in an object",
			old:    spec("{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}"),
			found: spec("{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true, " +
				"properties: {apiVersion: {type: string}, kind: {type: string}, metadata: {type: object}}}"),
		},
		"a status comes with its subresource": {
			reason: "there was none that could have been written before",
			old:    v1("spec: {type: object}", ""), found: v1("spec: {type: object}, status: {type: object}", served),
			want: []string{"field-added status roundtrip", "subresource-added  write"},
			back: []string{"field-removed status read", "subresource-removed  write"},
		},
		"the subresource comes to a status": {
			reason: "a status that was written with the object was kept",
			old:    v1("spec: {type: object}, status: {type: object}", ""),
			found:  v1("spec: {type: object}, status: {type: object}", served),
			want:   []string{"status-subresource-added  write"},
			back:   []string{"subresource-removed  write"},
		},
		"storage moves to a version that has less": {
			reason: "what is stored is read as the new version, and the rest is dropped",
			old:    stored, found: moved,
			want: []string{"field-removed spec.sail storage", "storage-version-jumped  storage", "version-added  write",
				"version-unserved  write"},
			back: []string{"storage-version-jumped  storage", "version-removed  write", "version-served  write"},
		},
		"storage moves, and both are served": {
			reason: "the stored field is told once",
			old:    stored, found: both,
			want: []string{"field-removed spec.sail storage", "storage-version-jumped  storage", "version-added  write"},
			back: []string{"storage-version-changed  storage", "version-removed  write"},
		},
		"an unserved version vanishes": {
			reason: "files do not say whether objects are stored in it",
			old:    moved, found: mast,
			want: []string{"version-may-be-stored  write"},
			back: []string{"version-added  write"},
		},
		"a list map becomes a list": {
			reason: "nothing is refused that was accepted, and it is one change",
			old:    spec(crewMap), found: spec(crewList),
			want: []string{"list-type-changed spec.crew write"},
			back: []string{"list-type-narrowed spec.crew write"},
		},
		"a text keeps unknown fields no longer": {
			reason: "a text has no fields",
			old:    spec("{type: string, x-kubernetes-preserve-unknown-fields: true}"), found: spec("{type: string}"),
		},
		"an open object becomes a map of texts": {
			reason: "a map keeps each key",
			old:    spec("{type: object, x-kubernetes-preserve-unknown-fields: true}"),
			found:  spec("{type: object, additionalProperties: {type: string}}"),
			want:   []string{"field-listed spec[*] write"},
			back:   []string{"field-unlisted spec[*] roundtrip"},
		},
		"an open object becomes a map of objects": {
			reason: "what is in the values is dropped",
			old:    spec("{type: object, x-kubernetes-preserve-unknown-fields: true}"),
			found:  spec("{type: object, additionalProperties: {type: object}}"),
			want:   []string{"field-listed spec[*] write", "unknown-fields-pruned spec write"},
			back:   []string{"field-unlisted spec[*] roundtrip", "unknown-fields-kept spec roundtrip"},
		},
		"a limit of fields that an object does not list": {
			reason: "the server drops what is not listed before it counts",
			old:    spec("{type: object, properties: {mast: {type: string}}}"),
			found:  spec("{type: object, maxProperties: 1, properties: {mast: {type: string}}}"),
		},
		"a limit below the fields that an object lists": {
			reason: "it refuses an object with both",
			old:    spec("{type: object, properties: {mast: {type: string}, sail: {type: string}}}"),
			found:  spec("{type: object, maxProperties: 1, properties: {mast: {type: string}, sail: {type: string}}}"),
			want:   []string{"max-properties-tightened spec write"},
			back:   []string{"max-properties-loosened spec roundtrip"},
		},
		"formats without effect": {
			reason: "the server ignores formats that it does not know for a type, and dashes in the others",
			old: spec("{type: object, properties: {deck: {type: integer}, port: {type: string}, nets: {type: array, items: " +
				"{type: string}}, at: {type: string, format: date-time}, word: {type: string}, load: {type: number}}}"),
			found: spec("{type: object, properties: {deck: {type: integer, format: int64}, port: {type: string, format: hostport}, " +
				"nets: {type: array, format: cidr, items: {type: string}}, at: {type: string, format: datetime}, " +
				"word: {type: string, format: password}, load: {type: number, format: double}}}"),
		},
		"a required field goes": {
			reason: "it is one change",
			old:    spec("{type: object, required: [keel], properties: {keel: {type: string}}}"), found: spec("{type: object}"),
			want: []string{"field-removed spec.keel write"},
			back: []string{"required-field-added spec.keel write"},
		},
		"branches that refuse nothing": {
			reason: "a oneOf of one branch that says nothing is met by everything",
			old:    spec("{type: object, oneOf: [{properties: {oar: {}}}], properties: {oar: {type: string}}}"),
			found:  spec("{type: object, anyOf: [{}, {required: [oar]}], allOf: [{}], properties: {oar: {type: string}}}"),
		},
		"white space in a rule": {
			reason: "it means nothing outside of texts",
			old:    spec(`{type: string, x-kubernetes-validations: [{rule: "self in ['a b', \"c\"]&&self.size()<9"}]}`),
			found:  spec(`{type: string, x-kubernetes-validations: [{rule: " self  in ['a b',\t\"c\"] && self.size() < 9 "}]}`),
		},
		"white space in a text of a rule": {
			reason: "there it is a character",
			old:    spec(`{type: string, x-kubernetes-validations: [{rule: "self != 'a b'"}]}`),
			found:  spec(`{type: string, x-kubernetes-validations: [{rule: "self != 'a  b'"}]}`),
			want:   []string{"cel-rule-changed spec write"}, back: []string{"cel-rule-changed spec write"},
		},
		"a bound of whole numbers that is none": {
			reason: "the server cannot compare with it, and refuses every value",
			old:    spec("{type: integer, minimum: 9}"), found: spec("{type: integer, minimum: 1.5}"),
			want: []string{"minimum-tightened spec write"},
			back: []string{"minimum-loosened spec roundtrip"},
		},
		"a multiple of whole numbers that is none": {
			reason: "the server cannot compare with it, and refuses every value",
			old:    spec("{type: integer}"), found: spec("{type: integer, multipleOf: 0.5}"),
			want: []string{"multiple-of-tightened spec write"},
			back: []string{"multiple-of-loosened spec roundtrip"},
		},
		"nullable beside an enumeration without null": {
			reason: "null was refused before as well",
			old:    spec("{type: string, enum: [a], nullable: true}"), found: spec("{type: string, enum: [a]}"),
		},
		"a pattern beside an enumeration": {
			reason: "what it refuses is a value less",
			old:    spec("{type: string, enum: [a, ab]}"), found: spec("{type: string, enum: [a, ab], pattern: b}"),
			want: []string{"enum-value-removed spec write"},
			back: []string{"enum-value-added spec roundtrip"},
		},
		"whole numbers": {
			reason: "above 0 is at least 1, and 1.5 bounds no whole number better than 1",
			old:    spec("{type: integer, minimum: 0, exclusiveMinimum: true, maximum: 9}"),
			found:  spec("{type: integer, minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true}"),
		},
		"numbers": {
			reason: "above 0 is less than at least 0.5",
			old:    spec("{type: number, minimum: 0, exclusiveMinimum: true}"), found: spec("{type: number, minimum: 0.5}"),
			want: []string{"minimum-tightened spec write"}, back: []string{"minimum-loosened spec roundtrip"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, way := range []struct {
				old, found string
				want       []string
			}{{tc.old, tc.found, tc.want}, {tc.found, tc.old, tc.back}, {tc.old, tc.old, nil}, {tc.found, tc.found, nil}} {
				report := crdcheck.Compare(boat(t, way.old), boat(t, way.found), crdcheck.Options{})
				var got []string
				for _, f := range report.Findings {
					got = append(got, string(f.Rule)+" "+f.Path+" "+string(f.Direction))
				}
				slices.Sort(got)
				if diff := cmp.Diff(way.want, got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}
