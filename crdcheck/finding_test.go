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
