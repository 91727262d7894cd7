package differential

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/crdify/pkg/config"
	"sigs.k8s.io/crdify/pkg/runner"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func crdify(t testing.TB) *runner.Runner {
	t.Helper()
	r, err := runner.New(&config.Config{}, runner.DefaultRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// waived are checks of crdify whose complaints need not be found, with the reason.
var waived = map[string]string{
	"description": "texts are for people",
}

// mistaken are complaints of crdify, by check and property, that are not right: nothing that was
// accepted is refused.
var mistaken = map[string]string{
	"minLength ^.spec.validation.wellKnownCACertificates":                           "the only accepted value, System, is long enough",
	"maxLength ^.spec.validation.wellKnownCACertificates":                           "the only accepted value, System, is short enough",
	"pattern ^.spec.validation.wellKnownCACertificates":                             "the only accepted value, System, fits it",
	"enum ^.spec.managed.services.additional.items.selectorType":                    once,
	"enum ^.spec.managed.services.additional.items.selectorType.allOf[0]":           once,
	"enum ^.spec.managed.services.additional.items.selectorType.allOf[1]":           once,
	"existingFieldRemoval spec.managed.services.additional[].selectorType.allOf[0]": once,
	"existingFieldRemoval spec.managed.services.additional[].selectorType.allOf[1]": once,
	"maximum ^.status.VSOCKCID":                                                     outgrown,
	"maximum ^.status.kernelBootStatus.kernelInfo.checksum":                         outgrown,
	"maximum ^.status.kernelBootStatus.initrdInfo.checksum":                         outgrown,
	"maximum ^.status.volumeStatus.items.containerDiskVolume.checksum":              outgrown,
}

// alike are differences of which crdify cannot say what they mean, by what it writes of them without
// spaces, and why they mean the same.
var alike = map[string]string{
	`-XListType:nil,+XListType:&"atomic",`: "a list that does not say what it is, is atomic",
	`-"",`:                                 "only the message of a rule has one space less",
	`-AllOf:[]v1.JSONSchemaProps{{Enum:[]v1.JSON{{...},{...},{...}}},{Enum:[]v1.JSON{{...},{...},{...}}}},+AllOf:nil,`: once,
}

// meansTheSame reports whether all that crdify complains of is alike.
func meansTheSame(complaints []string) bool {
	return !slices.ContainsFunc(complaints, func(complaint string) bool {
		var changed strings.Builder
		for line := range strings.Lines(complaint) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "-" && words[0] != "+" {
				continue
			}
			changed.WriteString(strings.Join(words, ""))
		}
		return alike[changed.String()] == ""
	})
}

const (
	once     = "three values that two branches allowed are the enumeration now"
	outgrown = "int32, which it was before, ends far below the new maximum"
)

// answers are the rules that say what a check of crdify complains of; those of other checks are in
// crdcheck.Rules.
func answers(check string) []crdcheck.RuleID {
	rules := []crdcheck.RuleID{
		crdcheck.RuleFieldRemoved,
		crdcheck.RuleFieldUnlisted,
	} // a property that is gone has no type, no enum
	for _, rule := range crdcheck.Rules() {
		if slices.Contains(rule.Also, "crdify: "+check) {
			rules = append(rules, rule.ID)
		}
	}
	return rules
}

// TestCrdifyFindsNoMore compares every pair with crdify too: what it complains of, at a path or in
// the definition, is found there or above it, by a rule that answers that check.
func TestCrdifyFindsNoMore(t *testing.T) {
	all := pairs(t)
	results := complaints(t, all)
	total := 0
	for i, p := range all {
		ours := compare(p).Findings
		for _, check := range results[i].CRDValidation {
			for _, complaint := range check.Errors {
				for _, path := range removed(complaint) {
					total++
					if mistaken[check.Name+" "+path] == "" && !found(ours, answers(check.Name), path) {
						t.Errorf("%s: %s: %s", p.label, check.Name, complaint)
					}
				}
			}
		}
		for _, version := range results[i].SameVersionValidation {
			for _, property := range version.PropertyComparisons {
				for _, check := range property.ComparisonResults {
					if len(check.Errors) == 0 || waived[check.Name]+mistaken[check.Name+" "+property.Property] != "" {
						continue
					}
					total++
					rules := answers(check.Name)
					if check.Name == "unhandled" {
						rules = nil // anything at this path
					}
					if !found(ours, rules, pathOf(property.Property)) && !meansTheSame(check.Errors) {
						t.Errorf("%s %s: %s of %s: %v", p.label, version.Version, check.Name, property.Property, check.Errors)
					}
				}
			}
		}
	}
	t.Logf("%d complaints of crdify about %d pairs", total, len(all))
	if total < 1500 {
		t.Errorf("only %d complaints: crdify looked at nothing", total)
	}
}

// complaints asks crdify about pairs, in its own program.
func complaints(t *testing.T, all []pair) []runner.Results {
	t.Helper()
	var asked []map[string]*crd
	for _, p := range all {
		asked = append(asked, map[string]*crd{"old": p.old, "new": p.new})
	}
	question, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var broken strings.Builder
	command := exec.CommandContext(t.Context(), build(t, ".", "./complaints"))
	command.Stdin, command.Stderr = bytes.NewReader(question), &broken
	answer, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, broken.String())
	}
	var results []runner.Results
	if err := json.Unmarshal(answer, &results); err != nil || len(results) != len(all) {
		t.Fatalf("%d answers to %d questions, %v", len(results), len(all), err)
	}
	return results
}

// removed returns the paths in a complaint of existingFieldRemoval: "removed field : v1.^.spec.x",
// or "" for another one.
func removed(complaint string) []string {
	_, path, found := strings.Cut(complaint, "removed field : ")
	if !found {
		return []string{""}
	}
	_, path, _ = strings.Cut(path, ".")
	return []string{pathOf(path)}
}

// pathOf writes crdify's path as ours: ^.spec.list.items.x is spec.list[].x. A field that is called
// items is taken for a list, as crdify does.
func pathOf(property string) string {
	path := strings.TrimPrefix(strings.TrimPrefix(property, "^"), ".")
	path = strings.ReplaceAll(path+".", ".items.", "[].")
	path = strings.ReplaceAll(path, ".items.", "[].")
	path = strings.ReplaceAll(path, ".additionalProperties.", "[*].")
	return strings.TrimSuffix(path, ".")
}

// found reports whether one of the rules, or any where there are none, was broken at the path,
// above it, or right below it (a field that became required).
func found(ours []crdcheck.Finding, rules []crdcheck.RuleID, path string) bool {
	return slices.ContainsFunc(ours, func(f crdcheck.Finding) bool {
		near := f.Path == path || path == "" || strings.HasPrefix(path, f.Path+".") || strings.HasPrefix(path, f.Path+"[") ||
			strings.HasPrefix(f.Path, path+".") || strings.HasPrefix(f.Path, path+"[")
		return near && (rules == nil || slices.Contains(rules, f.Rule))
	})
}

// TestTenTimesFaster compares the pair of VirtualMachine definitions of two releases with both, in
// turn: compiling included, the median of ours is less than a tenth of theirs.
func TestTenTimesFaster(t *testing.T) {
	p := find(t, "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io")
	theirs := crdify(t)
	const rounds = 3
	var ours, others []time.Duration
	for range rounds {
		began := time.Now()
		compare(p)
		ours = append(ours, time.Since(began))
		began = time.Now()
		theirs.Run(p.old, p.new)
		others = append(others, time.Since(began))
	}
	slices.Sort(ours)
	slices.Sort(others)
	ratio := float64(others[rounds/2]) / float64(ours[rounds/2])
	t.Logf("ours %v, crdify %v: %.0f times", ours[rounds/2], others[rounds/2], ratio)
	if ratio < 10 {
		t.Errorf("only %.1f times faster than crdify", ratio)
	}
}

func BenchmarkCompareVirtualMachine(b *testing.B) {
	p := find(b, "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io")
	b.Run("crdcheck", func(b *testing.B) {
		for b.Loop() {
			compare(p)
		}
	})
	theirs := crdify(b)
	b.Run("crdify", func(b *testing.B) {
		for b.Loop() {
			theirs.Run(p.old, p.new)
		}
	})
}
