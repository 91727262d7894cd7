package admit_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

// detail is an object that is made by hand, because generated ones hardly meet its trait.
type detail struct {
	reason   string
	version  int // of widgetsWithDeprecated
	metadata map[string]any
	spec     map[string]any // beyond size and colour
	warned   []string
}

func details() map[string]detail {
	const prefer = "prefer a domain-qualified finalizer name"
	const others = " to avoid accidental conflicts with other finalizer writers"
	owner := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u-1"}
	return map[string]detail{
		"finalizer without domain": {
			reason:   "kubectl shows the server's warning about a bare finalizer",
			metadata: map[string]any{"finalizers": []any{"mine", "mine.example.com", "example.com/mine", "orphan"}},
			warned: []string{
				`metadata.finalizers: "mine": ` + prefer + others,
				`metadata.finalizers: "mine.example.com": ` + prefer + " including a path (/)" + others,
			},
		},
		"owner twice": {
			reason:   "the server keeps an owner that is there twice once, and warns",
			metadata: map[string]any{"ownerReferences": []any{owner, maps.Clone(owner)}},
			warned: []string{".metadata.ownerReferences contains duplicate entries; API server dedups owner references in " +
				"1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u-1"},
		},
		"deprecated version": {
			reason: "a deprecated version is told in the server's own words", version: 1,
			warned: []string{"example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"},
		},
		"deprecated version with a warning": {
			reason: "the definition's own words replace the server's", version: 2,
			warned: []string{"v1 is better"},
		},
		"refused with a bare finalizer": {
			reason:   "an object that is refused is not warned about its finalizers",
			metadata: map[string]any{"finalizers": []any{"mine"}}, spec: map[string]any{"colour": "blue"},
		},
		"whole number as a float": {
			reason: "sigs.k8s.io/yaml reads whole numbers as float64; the server gets and names an integer",
			spec:   map[string]any{"size": float64(2), "grade": float64(5), "ratio": float64(1), "least": 2.5},
		},
		"fewer than no replicas": {
			reason: "the server looks at what a scale subresource shows, whatever the schema allows",
			spec:   map[string]any{"least": int64(-1)},
		},
		"more replicas than fit": {
			reason: "scale has 32 bits",
			spec:   map[string]any{"least": int64(1 << 31)},
		},
		"replicas that are a text": {
			reason: "a number is wanted by the schema and by scale",
			spec:   map[string]any{"least": "many"},
		},
		"null without a default": {
			reason: "the server drops a null that the schema does not allow",
			spec:   map[string]any{"least": nil},
		},
		"null with a default": {
			reason: "the default replaces it",
			spec:   map[string]any{"grade": nil},
		},
		"null that is allowed": {
			reason: "the schema says nullable, and the server keeps it",
			spec:   map[string]any{"maybe": nil},
		},
		"null of an unknown field": {
			reason: "it is unknown all the same",
			spec:   map[string]any{"weight": nil},
		},
		"null of a required field": {
			reason: "it goes, and the field is missing",
			spec:   map[string]any{"size": nil},
		},
		"null of an object": {
			reason: "the server drops it as it does one of a text",
			spec:   map[string]any{"choice": nil},
		},
		"null of a list": {
			reason: "the server drops it as it does one of a text",
			spec:   map[string]any{"set": nil},
		},
		"null in a list": {
			reason: "it is no item",
			spec:   map[string]any{"set": []any{"a", nil}},
		},
		"null in a map": {
			reason: "it is no value",
			spec:   map[string]any{"tags": map[string]any{"a": nil}},
		},
		"null that nobody looks at": {
			reason: "no schema says what may be there",
			spec:   map[string]any{"free": map[string]any{"x": nil}},
		},
		"null of known field in a free": {
			reason: "the schema knows this field of an object that takes any",
			spec:   map[string]any{"free": map[string]any{"known": nil}},
		},
		"null of int-or-string": {
			reason: "two types allow a null no more than one",
			spec:   map[string]any{"port": nil},
		},
		"null in an embedded object": {
			reason: "the server drops nulls of an embedded object too",
			spec:   map[string]any{"inner": embedded("data")},
		},
		"null metadata of an embedded": {
			reason: "it is decoded",
			spec:   map[string]any{"inner": embedded("metadata")},
		},
		"null below a list": {
			reason: "the default of an item's field replaces it",
			spec:   map[string]any{"parts": []any{map[string]any{"name": "a", "count": nil, "when": nil}}},
		},
		"null metadata": {
			reason: "exported objects have creationTimestamp: null, and empty maps are written as null",
			metadata: map[string]any{
				"creationTimestamp": nil, "labels": nil, "annotations": map[string]any{"a": nil}, "finalizers": nil,
			},
		},
	}
}

// embedded is an embedded object with a field that is null.
func embedded(null string) map[string]any {
	object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}}
	object[null] = nil
	return object
}

func (d detail) object(crd *apiextensionsv1.CustomResourceDefinition) map[string]any {
	spec := map[string]any{"size": int64(1), "colour": "red"}
	maps.Copy(spec, d.spec)
	object := widget(spec)
	object["apiVersion"] = crd.Spec.Group + "/" + crd.Spec.Versions[d.version].Name
	metadata, _ := object["metadata"].(map[string]any)
	maps.Copy(metadata, d.metadata)
	return object
}

// widgetsWithDeprecated can be scaled and has two deprecated versions, one with a warning of its
// own.
func widgetsWithDeprecated(t *testing.T) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	crd := widgets(t)
	crd.Spec.Versions[0].Subresources.Scale = &apiextensionsv1.CustomResourceSubresourceScale{
		SpecReplicasPath: ".spec.least", StatusReplicasPath: ".status.replicas",
	}
	for _, name := range []string{"v1beta1", "v1alpha1"} {
		older := *crd.Spec.Versions[0].DeepCopy()
		older.Name, older.Storage, older.Deprecated = name, false, true
		crd.Spec.Versions = append(crd.Spec.Versions, older)
	}
	crd.Spec.Versions[2].DeprecationWarning = ptr.To("v1 is better")
	return crd
}

// TestOracleOfDetails asks a real API server about objects made by hand, and compares its warnings
// too.
func TestOracleOfDetails(t *testing.T) {
	crd := widgetsWithDeprecated(t)
	s := start(t, crd)
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	s.warned.take()
	for label, detail := range details() {
		t.Run(label, func(t *testing.T) {
			var tally tally
			tally.compare(t, definition, s.resources(&crd, detail.version), detail.object(&crd))
			if diff := cmp.Diff(detail.warned, s.warned.take()); diff != "" {
				t.Errorf("%s: warnings of the server: -want +got:\n%s", detail.reason, diff)
			}
			verdict, err := definition.Create(t.Context(), detail.object(&crd))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(verdict.Warnings)
			if diff := cmp.Diff(detail.warned, verdict.Warnings); diff != "" {
				t.Errorf("%s: warnings of ours: -want +got:\n%s", detail.reason, diff)
			}
		})
	}
}

// TestWarningsOfUpdates: who keeps a finalizer that the object had is not warned of it again.
func TestWarningsOfUpdates(t *testing.T) {
	crd := widgets(t)
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	with := func(finalizers ...any) map[string]any {
		return detail{metadata: map[string]any{"resourceVersion": "1", "finalizers": finalizers}}.object(&crd)
	}
	verdict, err := definition.Update(t.Context(), with("old", "new"), with("old"))
	if err != nil {
		t.Fatal(err)
	}
	if len(verdict.Warnings) != 1 || !verdict.Accepted {
		t.Errorf("accepted %t, with warnings %q", verdict.Accepted, verdict.Warnings)
	}
}

// TestConvertedByWebhook: what a webhook makes of an object on the way to the stored version is not
// known, so that the object is never told to be kept.
func TestConvertedByWebhook(t *testing.T) {
	crd := widgetsWithDeprecated(t)
	crd.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.WebhookConverter}
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	for label, tc := range map[string]struct {
		reason  string
		detail  detail
		want    string
		unknown bool
	}{
		"stored version": {reason: "the stored version is not converted", detail: detail{version: 0}},
		"other version":  {reason: "another one is", detail: detail{version: 1}, want: "v1", unknown: true},
		"refused": {
			reason: "an object that is refused is never converted",
			detail: detail{version: 1, spec: map[string]any{"colour": "blue"}}, unknown: true,
		},
	} {
		t.Run(label, func(t *testing.T) {
			verdict, err := definition.Create(t.Context(), tc.detail.object(&crd))
			if err != nil {
				t.Fatal(err)
			}
			if verdict.ConvertedTo != tc.want || verdict.Kept() == tc.unknown {
				t.Errorf("%s: converted to %q, kept %t", tc.reason, verdict.ConvertedTo, verdict.Kept())
			}
		})
	}
}
