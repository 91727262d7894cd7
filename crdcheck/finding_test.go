package crdcheck_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestSeverity(t *testing.T) {
	const info, unsettled, warning, severe = crdcheck.Info, crdcheck.Unsettled, crdcheck.Warning, crdcheck.Error
	want := map[crdcheck.Effect][]crdcheck.Severity{ // write, read, roundtrip, storage
		crdcheck.Drops:        {severe, severe, severe, severe},
		crdcheck.Narrows:      {severe, info, warning, warning},
		crdcheck.Widens:       {info, warning, warning, info},
		crdcheck.Incomparable: {severe, warning, warning, warning},
		crdcheck.Adds:         {info, info, warning, info},
		crdcheck.Alters:       {warning, warning, warning, warning},
		crdcheck.Cosmetic:     {info, info, info, info},
		crdcheck.Unknown:      {unsettled, unsettled, unsettled, unsettled},
	}
	got := map[crdcheck.Effect][]crdcheck.Severity{}
	for effect := range want {
		for _, direction := range []crdcheck.Direction{crdcheck.Write, crdcheck.Read, crdcheck.Roundtrip, crdcheck.Storage} {
			got[effect] = append(got[effect], crdcheck.Finding{Effect: effect, Direction: direction}.Severity())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	names := []string{info.String(), unsettled.String(), warning.String(), severe.String()}
	if diff := cmp.Diff([]string{"info", "unknown", "warning", "error"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFingerprint(t *testing.T) {
	f := crdcheck.Finding{
		Rule: crdcheck.RuleFieldMissing, Cluster: "supervisor", CRD: "machines.vitistack.io", Version: "v1alpha1",
		Path: "spec.kubevirtConfigRef", Direction: crdcheck.Read, Effect: crdcheck.Drops,
	}
	if diff := cmp.Diff("1e03755bc1d2", f.Fingerprint()); diff != "" {
		t.Errorf("people keep fingerprints in files: one that changes is a break: -want +got:\n%s", diff)
	}
	elsewhere := f
	elsewhere.Why, elsewhere.Cluster = "another sentence", "another"
	elsewhere.Direction, elsewhere.Effect = crdcheck.Write, crdcheck.Narrows
	if elsewhere.Fingerprint() != f.Fingerprint() {
		t.Error("the wording, the cluster or who was asked has a part in the fingerprint")
	}
	seen := []string{f.Fingerprint()}
	for _, change := range []func(*crdcheck.Finding){
		func(f *crdcheck.Finding) { f.Rule = crdcheck.RuleCRDMissing }, func(f *crdcheck.Finding) { f.Object = "x" },
		func(f *crdcheck.Finding) { f.CRD = "x" }, func(f *crdcheck.Finding) { f.Version = "x" },
		func(f *crdcheck.Finding) { f.Path = "x" }, func(f *crdcheck.Finding) { f.Old = "x" },
		func(f *crdcheck.Finding) { f.New = "x" },
		func(f *crdcheck.Finding) { f.CRD, f.Version = "machines.vitistack.iov1alpha1", "" },
	} {
		other := f
		change(&other)
		if slices.Contains(seen, other.Fingerprint()) {
			t.Errorf("%+v has the fingerprint of another finding", other)
		}
		seen = append(seen, other.Fingerprint())
	}
}

func TestGroups(t *testing.T) {
	at := func(rule crdcheck.RuleID, path, old string) crdcheck.Finding {
		f := rule.Finding(crdcheck.Write)
		f.Path, f.Old = path, old
		return f
	}
	findings := []crdcheck.Finding{
		at(crdcheck.RuleFieldRemoved, "spec.a.oar", "x"),
		at(crdcheck.RuleFieldRemoved, "spec.a.oar", "y"),      // another value
		at(crdcheck.RuleFieldRemoved, "spec.b[].oar", "x"),    // the same as the first
		at(crdcheck.RuleFieldAdded, "spec.b[].oar", "x"),      // another rule
		at(crdcheck.RuleFieldRemoved, "spec.b[].rudder", "x"), // another field
		at(crdcheck.RuleTypeChanged, "spec.c[]", "x"),
		at(crdcheck.RuleTypeChanged, "spec.d[]", "x"), // items have no name that would tell them to be the same
		at(crdcheck.RuleKindChanged, "", "x"),
	}
	var got []string
	for _, group := range crdcheck.Groups(findings) {
		line := string(group.Rule) + " " + group.Path
		for _, f := range group.Also {
			line += " + " + f.Path
		}
		got = append(got, line)
	}
	want := []string{
		"field-removed spec.a.oar + spec.b[].oar", "field-removed spec.a.oar", "field-added spec.b[].oar",
		"field-removed spec.b[].rudder", "type-changed spec.c[]", "type-changed spec.d[]", "kind-changed ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
