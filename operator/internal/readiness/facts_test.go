package readiness_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

// factNames are the fields of Facts that are facts.
func factNames() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[readiness.Facts]()) {
		if field.Type.Kind() == reflect.Struct {
			names = append(names, field.Name)
		}
	}
	return names
}

// lose takes a fact away: forbids it, or lets it grow old.
func lose(f *readiness.Facts, name string, missing *readiness.Missing, at time.Time) {
	fact := reflect.ValueOf(f).Elem().FieldByName(name)
	if missing != nil {
		fact.FieldByName("Value").SetZero()
	}
	fact.FieldByName("Missing").Set(reflect.ValueOf(missing))
	fact.FieldByName("At").Set(reflect.ValueOf(at))
}

// TestMissingFacts takes each fact away, in each way: the cluster is then unknown, says why, and
// what a person can do.
func TestMissingFacts(t *testing.T) {
	forbidden := &readiness.Missing{Reason: readiness.ReasonForbidden, Right: "list things"}
	silent := &readiness.Missing{Reason: readiness.ReasonSilent, Message: "no answer in time"}
	for _, name := range factNames() {
		for way, tc := range map[string]struct {
			missing *readiness.Missing
			at      time.Time
			reason  string
			says    string
		}{
			"forbidden": {forbidden, time.Time{}, readiness.ReasonForbidden, "the kubeconfig of east may not list things"},
			"silent":    {silent, time.Time{}, readiness.ReasonSilent, "no answer in time"},
			"old":       {nil, now.Add(-readiness.MaxAge - time.Second), readiness.ReasonOld, "what is known is 61s old"},
			"not asked": {nil, time.Time{}, readiness.ReasonNotAsked, "nobody has asked"},
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				n, f := needs(t), fitting()
				switch name { // what another check would answer
				case "Definitions":
					f.DryRun.Value = readiness.DryRun{NoNamespace: true}
				case "Lacking":
					f.Namespace.Value = readiness.Namespace{}
				}
				if name == "Instancetype" {
					n.Instancetype = &readiness.Object{Kind: "VirtualMachineClusterInstancetype", Name: "m1"}
				}
				lose(&f, name, tc.missing, tc.at)
				report := readiness.Judge(n, f, now)
				if name == "Machines" { // which counts in the score alone
					whole := readiness.Judge(n, fitting(), now)
					if report.Verdict != readiness.OK || report.Score >= whole.Score {
						t.Errorf("%s, score %d of %d", report.Verdict, report.Score, whole.Score)
					}
					return
				}
				first, found := report.First()
				if report.Verdict != readiness.Unknown || !found || first.Reason != tc.reason ||
					!strings.Contains(first.Message, tc.says) {
					t.Fatalf("%s: %+v", report.Verdict, first)
				}
				if first.Do == "" && tc.reason != readiness.ReasonNotAsked {
					t.Errorf("it says nothing that a person can do: %+v", first)
				}
			})
		}
	}
}

// TestAge: a check is as old as the oldest fact that it rests on.
func TestAge(t *testing.T) {
	f := fitting()
	f.KubeVirt.At = now.Add(-20 * time.Second)
	f.StorageClasses.At = now.Add(-30 * time.Second)
	check, _ := readiness.Judge(needs(t), f, now).Check(readiness.CheckState)
	if check.Age != 30*time.Second {
		t.Errorf("%+v", check)
	}
	f.StorageClasses.At = now.Add(time.Hour)
	check, _ = readiness.Judge(needs(t), f, now).Check(readiness.CheckStorage)
	if check.Age != 0 || check.Verdict != readiness.OK {
		t.Errorf("a clock that was set back made a fact old: %+v", check)
	}
}

// breakers are the ways in which a cluster can be unfit.
var breakers = []func(*readiness.Facts){
	func(f *readiness.Facts) { f.Door.Value.Paused = true },
	func(f *readiness.Facts) { f.Name.Value = &readiness.Found{UID: "other"} },
	func(f *readiness.Facts) { f.KubeVirt.Value.Ready = false },
	func(f *readiness.Facts) { f.KubeVirt.Value.CPUAllocationRatio = 1 },
	func(f *readiness.Facts) { f.Namespace.Value = readiness.Namespace{} },
	func(f *readiness.Facts) { f.Lacking.Value = []string{"create namespaces"} },
	func(f *readiness.Facts) { f.Definitions.Value[0].Absent = true },
	func(f *readiness.Facts) { f.StorageClasses.Value = nil },
	func(f *readiness.Facts) { f.Profiles.Value["fast"] = nil },
	func(f *readiness.Facts) { f.Disks.Value = []readiness.Found{{Object: "DataVolume x"}} },
	func(f *readiness.Facts) { f.Attachments.Value["team-a/vlan7"] = readiness.Attachment{VLAN: 9} },
	func(f *readiness.Facts) { f.Objects.Value = nil },
	func(f *readiness.Facts) { f.Preference.Value = false },
	func(f *readiness.Facts) { f.Nodes.Value = nil },
	func(f *readiness.Facts) {
		for i := range f.Nodes.Value {
			f.Nodes.Value[i].Free = readiness.Size{MilliCPU: 500, MemoryBytes: 3 * gi}
		}
	},
	func(f *readiness.Facts) {
		for i := range f.Nodes.Value {
			f.Nodes.Value[i].Free.MilliCPU = 1000
		}
	},
	func(f *readiness.Facts) { f.Quotas.Value = quota("", corev1.ResourcePods, "0", "0") },
	func(f *readiness.Facts) {
		f.Quotas.Value = quota("", "fast.storageclass.storage.k8s.io/requests.storage", "1Gi", "0")
	},
	func(f *readiness.Facts) {
		f.Limits.Value = limit(corev1.LimitTypePersistentVolumeClaim, corev1.ResourceStorage, "1Gi")
	},
	func(f *readiness.Facts) { f.DryRun.Value = readiness.DryRun{Message: "no"} },
	func(f *readiness.Facts) { f.DryRun.Value = readiness.DryRun{NoNamespace: true} },
}

// TestIgnorance: to know less never makes a cluster fit. A check that said no may become unknown,
// never ok; nor does a cluster.
func TestIgnorance(t *testing.T) {
	names, n := factNames(), needs(t)
	rapid.Check(t, func(t *rapid.T) {
		f := fitting()
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, len(breakers)-1), rapid.ID).Draw(t, "broken") {
			breakers[i](&f)
		}
		before := readiness.Judge(n, f, now)
		missing := &readiness.Missing{Reason: readiness.ReasonForbidden, Right: "see"}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "forbidden") {
			if name == "Lacking" || name == "Door" || name == "Connection" { // which takes no right
				continue
			}
			lose(&f, name, missing, time.Time{})
		}
		after := readiness.Judge(n, f, now)
		if before.Verdict != readiness.OK && after.Verdict == readiness.OK {
			t.Fatalf("%s became ok:\n%+v\n%+v", before.Verdict, before.Checks, after.Checks)
		}
		if after.Verdict == readiness.OK && after.Score > before.Score {
			t.Fatalf("the score rose from %d to %d", before.Score, after.Score)
		}
		for _, check := range before.Checks {
			if now, _ := after.Check(check.Name); check.Verdict == readiness.No && now.Verdict == readiness.OK {
				t.Fatalf("%s said no and says ok: %+v", check.Name, now)
			}
		}
	})
}

// TestSort: by verdict, then by score, then by name.
func TestSort(t *testing.T) {
	reports := []readiness.Report{
		{Config: "e", Verdict: readiness.No}, {Config: "d", Verdict: readiness.Unknown, Score: 90},
		{Config: "c", Verdict: readiness.OK, Score: 10}, {Config: "b", Verdict: readiness.OK, Score: 80},
		{Config: "a", Verdict: readiness.OK, Score: 10},
	}
	readiness.Sort(reports)
	var got []string
	for _, report := range reports {
		got = append(got, report.Config)
	}
	if want := []string{"b", "a", "c", "d", "e"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestWith: a caller's own checks count.
func TestWith(t *testing.T) {
	report := readiness.Judge(needs(t), fitting(), now)
	if report.Verdict != readiness.OK || report.Score == 0 {
		t.Fatalf("%+v", report)
	}
	minor := readiness.Check{Name: "source", Verdict: readiness.Unknown, Minor: true}
	if with := report.With(minor); with.Verdict != readiness.OK || with.Score != report.Score {
		t.Errorf("%+v", with)
	}
	no := readiness.Check{Name: "source", Verdict: readiness.No, Reason: "NoExport"}
	with := report.With(no)
	if first, found := with.First(); with.Verdict != readiness.No || with.Score != 0 || !found || first.Reason != "NoExport" {
		t.Errorf("%+v", with)
	}
}

// TestScore: more room, more nodes and fewer Machines are better, and nothing is above 100.
func TestScore(t *testing.T) {
	score := func(edit func(*readiness.Facts)) int {
		f := fitting()
		edit(&f)
		return readiness.Judge(needs(t), f, now).Score
	}
	base := score(func(*readiness.Facts) {})
	cases := map[string]struct {
		edit   func(*readiness.Facts)
		better bool
	}{
		"fewer Machines": {func(f *readiness.Facts) { f.Machines.Value = 0 }, true},
		"more Machines":  {func(f *readiness.Facts) { f.Machines.Value = 500 }, false},
		"less memory":    {func(f *readiness.Facts) { f.Nodes.Value[0].Free.MemoryBytes = 8 * gi }, false},
		"less CPU":       {func(f *readiness.Facts) { f.Nodes.Value[0].Free.MilliCPU = 400 }, false},
		"more nodes": {func(f *readiness.Facts) {
			f.Nodes.Value = append(f.Nodes.Value, f.Nodes.Value[0])
		}, true},
	}
	for name, tc := range cases {
		if got := score(tc.edit); (got > base) != tc.better || got == base || got > 100 {
			t.Errorf("%s: %d, and %d before", name, got, base)
		}
	}
	best := score(func(f *readiness.Facts) {
		f.Machines.Value = 0
		f.Nodes.Value[0].Free = readiness.Size{MilliCPU: 1 << 50, MemoryBytes: 1 << 60}
		f.Nodes.Value = slices.Repeat(f.Nodes.Value, 10)
	})
	if best != 100 {
		t.Errorf("the best is %d", best)
	}
}
