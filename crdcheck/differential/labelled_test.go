package differential

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// label is a change that a person found by reading the definitions of two releases, and what is to
// be said of it.
type label struct {
	project, old, name, rule, path string
	direction                      crdcheck.Direction
}

// labels: "old" is the older release; the newer one follows it in projects.
var labels = []label{
	{"kubevirt", "v1.8.2", "virtualmachineinstances.kubevirt.io", "format-widened", "status.VSOCKCID", crdcheck.Read},
	{
		"kubevirt",
		"v1.8.2",
		"virtualmachineinstances.kubevirt.io",
		"format-widened",
		"status.volumeStatus[].containerDiskVolume.checksum",
		crdcheck.Read,
	},
	{"kubevirt", "v1.7.0", "virtualmachineinstances.kubevirt.io", "field-removed", "status.deviceStatus", crdcheck.Read},
	{
		"kubevirt",
		"v1.7.0",
		"virtualmachineinstances.kubevirt.io",
		"field-added",
		"spec.domain.rebootPolicy",
		crdcheck.Roundtrip,
	},
	{
		"kubevirt",
		"v1.6.0",
		"virtualmachines.kubevirt.io",
		"required-removed",
		"spec.template.spec.domain.devices.disks[].blockSize.custom.logical",
		crdcheck.Roundtrip,
	},
	{
		"kubevirt",
		"v1.6.0",
		"virtualmachines.kubevirt.io",
		"field-added",
		"spec.template.spec.domain.launchSecurity.tdx",
		crdcheck.Roundtrip,
	},
	{
		"cluster-api",
		"v1.10.0",
		"clusters.cluster.x-k8s.io",
		"max-length-tightened",
		"spec.topology.classNamespace",
		crdcheck.Write,
	},
	{
		"cluster-api",
		"v1.10.0",
		"clusters.cluster.x-k8s.io",
		"pattern-changed",
		"spec.topology.classNamespace",
		crdcheck.Write,
	},
	{"cluster-api", "v1.10.0", "clusters.cluster.x-k8s.io", "storage-version-jumped", "", crdcheck.Storage},
	{"cluster-api", "v1.10.0", "clusters.cluster.x-k8s.io", "version-deprecated", "", crdcheck.Write},
	{
		"cert-manager",
		"v1.17.0",
		"certificates.cert-manager.io",
		"field-added",
		"spec.signatureAlgorithm",
		crdcheck.Roundtrip,
	},
	{"cert-manager", "v1.17.0", "issuers.cert-manager.io", "short-name-added", "", crdcheck.Write},
	{"gateway-api", "v1.4.1", "httproutes.gateway.networking.k8s.io", "min-items-tightened", "spec.rules", crdcheck.Write},
	{
		"gateway-api",
		"v1.4.1",
		"httproutes.gateway.networking.k8s.io",
		"enum-value-added",
		"spec.rules[].filters[].requestRedirect.statusCode",
		crdcheck.Roundtrip,
	},
	{
		"gateway-api",
		"v1.4.1",
		"httproutes.gateway.networking.k8s.io",
		"cel-rule-added",
		"spec.rules[].filters[]",
		crdcheck.Write,
	},
	{
		"gateway-api",
		"v1.4.1",
		"gateways.gateway.networking.k8s.io",
		"required-removed",
		"status.listeners[].supportedKinds",
		crdcheck.Read,
	},
	{
		"gateway-api",
		"v1.4.1",
		"backendtlspolicies.gateway.networking.k8s.io",
		"enum-removed",
		"spec.validation.wellKnownCACertificates",
		crdcheck.Roundtrip,
	},
	{"gateway-api", "v1.4.1", "referencegrants.gateway.networking.k8s.io", "version-added", "", crdcheck.Write},
}

func find(t testing.TB, project, old, name string) pair {
	t.Helper()
	releases := projects[project]
	at := slices.IndexFunc(releases, func(r release) bool { return r.version == old })
	p := pair{label: name, old: definitions(t, releases[at])[name], new: definitions(t, releases[at+1])[name]}
	if p.old == nil || p.new == nil {
		t.Fatalf("%s %s has no %s", project, old, name)
	}
	return p
}

// TestLabels: each change that a person found is found, in the direction in which it is felt.
func TestLabels(t *testing.T) {
	for _, l := range labels {
		found := compare(find(t, l.project, l.old, l.name)).Findings
		if !slices.ContainsFunc(found, func(f crdcheck.Finding) bool {
			return string(f.Rule) == l.rule && f.Path == l.path && f.Direction == l.direction
		}) {
			t.Errorf("%+v was not found among %d findings", l, len(found))
		}
	}
}

func compare(p pair) crdcheck.Report {
	return crdcheck.Compare(crdcheck.Observed("old", *p.old), crdcheck.Observed("new", *p.new), crdcheck.Options{})
}

// TestWholePairs: pairs that a person read from end to end; what is found is just what was read,
// for who writes and reads. Optional fields that are new are counted.
func TestWholePairs(t *testing.T) {
	cases := []struct {
		reason, project, old, name string
		added                      int
		want                       []string
	}{
		{"one optional field is new", "cert-manager", "v1.17.0", "certificates.cert-manager.io", 1, nil},
		{"only texts changed", "cert-manager", "v1.17.0", "challenges.acme.cert-manager.io", 0, nil},
		{"only texts changed", "cert-manager", "v1.17.0", "certificaterequests.cert-manager.io", 0, nil},
		{"only texts changed", "gateway-api", "v1.4.1", "grpcroutes.gateway.networking.k8s.io", 0, nil},
		{"only texts changed", "gateway-api", "v1.4.1", "gatewayclasses.gateway.networking.k8s.io", 0, nil},
		{
			"the enumeration became a pattern that its value fits: nothing is refused",
			"gateway-api", "v1.4.1", "backendtlspolicies.gateway.networking.k8s.io", 0,
			[]string{"info enum-removed spec.validation.wellKnownCACertificates"},
		},
		{
			"numbers that outgrew 32 bits: a reader overflows, nothing that is stored is refused",
			"kubevirt", "v1.8.2", "virtualmachineinstances.kubevirt.io", 3,
			[]string{
				"warning format-widened status.VSOCKCID",
				"warning format-widened status.kernelBootStatus.initrdInfo.checksum",
				"warning format-widened status.kernelBootStatus.kernelInfo.checksum",
				"warning format-widened status.volumeStatus[].containerDiskVolume.checksum",
				"warning minimum-tightened status.VSOCKCID",
				"warning minimum-tightened status.kernelBootStatus.initrdInfo.checksum",
				"warning minimum-tightened status.kernelBootStatus.kernelInfo.checksum",
				"warning minimum-tightened status.volumeStatus[].containerDiskVolume.checksum",
			},
		},
		{"optional fields are new", "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io", 3, nil},
	}
	for _, tc := range cases {
		p := find(t, tc.project, tc.old, tc.name)
		report := crdcheck.Compare(
			crdcheck.Observed("old", *p.old), crdcheck.Observed("new", *p.new),
			crdcheck.Options{Directions: crdcheck.ProfileClient.Directions()},
		)
		var got []string
		added := 0
		for _, f := range report.Findings {
			if f.Rule == crdcheck.RuleFieldAdded && f.Severity() == crdcheck.Info {
				added++
				continue
			}
			got = append(got, strings.Join([]string{f.Severity().String(), string(f.Rule), f.Path}, " "))
		}
		slices.Sort(got)
		if diff := cmp.Diff(tc.want, got); diff != "" || added != tc.added {
			t.Errorf("%s: %s: %d fields are new, -want +got:\n%s", tc.name, tc.reason, added, diff)
		}
	}
}

// TestUsageIsQuiet: a program that writes a few fields of virtual machines and reads a few of their
// instances, over four releases of KubeVirt, is told of nothing that is not its matter.
func TestUsageIsQuiet(t *testing.T) {
	usage := &crdcheck.Usage{Kinds: []crdcheck.KindUsage{
		{
			CRD:     "virtualmachines.kubevirt.io",
			Version: "v1",
			Writes: []string{
				"spec.runStrategy",
				"spec.template.spec.domain.devices.disks[].name",
				"spec.template.spec.volumes[].name",
			},
		},
		{
			CRD:     "virtualmachineinstances.kubevirt.io",
			Version: "v1",
			Reads:   []string{"status.phase", "status.VSOCKCID", "status.interfaces[].ipAddress"},
		},
	}}
	releases := projects["kubevirt"]
	raw, felt := 0, 0
	for i := range releases[1:] {
		old, found := snapshot(t, releases[i]), snapshot(t, releases[i+1])
		raw += len(crdcheck.Compare(old, found, crdcheck.Options{}).Findings)
		for _, f := range crdcheck.Compare(old, found, crdcheck.Options{Usage: usage}).Findings {
			if f.Severity() > crdcheck.Info {
				felt++
				if f.Path != "status.VSOCKCID" {
					t.Errorf("%s %s is not this program's matter", f.Rule, f.Path)
				}
			}
		}
	}
	t.Logf("%d changes, %d of them felt", raw, felt)
	if felt != 1 || raw < 50 {
		t.Errorf("%d of %d changes are felt, want 1: a number that outgrew 32 bits", felt, raw)
	}
}

func snapshot(t *testing.T, r release) crdcheck.Snapshot {
	t.Helper()
	var all []crd
	for _, d := range definitions(t, r) {
		all = append(all, *d)
	}
	return crdcheck.Observed(r.version, all...)
}
