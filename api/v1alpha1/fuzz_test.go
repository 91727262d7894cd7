package v1alpha1_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// word is a run of characters that is long enough to tell something.
var word = regexp.MustCompile(`[\pL\pN]{4,}`)

// vocabulary are the words that an error may have: those of this package's code, and
// apimachinery's about names.
func vocabulary(f *testing.F) map[string]bool {
	f.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		f.Fatalf("the code of the package: %v", err)
	}
	known := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, w := range word.FindAllString(string(code), -1) {
			known[w] = true
		}
	}
	for _, name := range []string{"?", "a.b", strings.Repeat("a", 300)} { // apimachinery has words of its own about names
		problems := append(validation.IsDNS1123Subdomain(name), validation.IsDNS1123Label(name)...)
		for _, w := range word.FindAllString(strings.Join(problems, " "), -1) {
			known[w] = true
		}
	}
	return known
}

// checkWords fails where an error has a word that is not ours: it then comes from the record.
// Names of unknown fields may be told.
func checkWords(t *testing.T, known map[string]bool, err error) {
	t.Helper()
	text := regexp.MustCompile(`^(.*): field ".*": (unknown|given twice)$`).ReplaceAllString(err.Error(), "$1")
	for _, w := range word.FindAllString(text, -1) {
		if !known[w] {
			t.Errorf("an error with the word %q of the record: %v", w, err)
		}
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("an error with a control character: %q", err)
	}
}

// FuzzLedgerValues puts texts into the fields of a ledger: an error tells the field and never what
// was in it.
func FuzzLedgerValues(f *testing.F) {
	known := vocabulary(f)
	for _, l := range []v1alpha1.Ledger{
		complete, {}, {Config: "hunter2 hunter2", Namespace: "Hunter2", VMName: "hunter2\x00", Nonce: "-hunter2"},
		{Config: "a", Namespace: "a", VMName: "a", Nonce: "a", ClusterUID: "hunter2/", VMUID: "\xff"},
		{Config: strings.Repeat("a", 253), Namespace: strings.Repeat("b", 63), VMName: "c.d", Nonce: strings.Repeat("e", 128)},
		{Config: "a", Namespace: "a", VMName: "a", Nonce: "a\n", VMUID: "<&\u2028>", Move: "hunter2 "},
	} {
		f.Add(l.Config, l.ClusterUID, l.Namespace, l.VMName, l.Nonce, l.VMUID, l.Move)
	}
	f.Fuzz(func(t *testing.T, config, clusterUID, namespace, vmName, nonce, vmUID, move string) {
		l := v1alpha1.Ledger{
			Config: config, ClusterUID: clusterUID, Namespace: namespace, VMName: vmName, Nonce: nonce, VMUID: vmUID,
			Move: move,
		}
		invalid := l.Validate()
		read, err := v1alpha1.ParseLedger(l.String())
		if (invalid == nil) != (err == nil) || err == nil && read != l {
			t.Errorf("valid: %v, read as %+v: %v", invalid, read, err)
		}
		for _, err := range []error{invalid, err} {
			if err == nil {
				continue
			}
			if checkWords(t, known, err); !errors.Is(err, v1alpha1.ErrInvalidLedger) || len(err.Error()) > 500 {
				t.Errorf("an error that is none of ours, or too long: %v", err)
			}
		}
	})
}

// FuzzParseRecords reads a text as each of the other records. What is accepted is written such that
// it reads as the same; what is not, is refused without a word of it.
func FuzzParseRecords(f *testing.F) {
	known := vocabulary(f)
	for _, seed := range []string{
		"", "null", "{}", "[]", "hunter2", `[{"kind":"DataVolume","name":"root","uid":"a-b"}]`,
		`[{"kind":"hunter2","name":"root","uid":"a-b"}]`, `[{"kind":"PersistentVolumeClaim","name":"Hunter2","uid":""}]`,
		`{"wish":"w","attachments":[{"interface":"default","mac":"02:00:00:00:00:00","networkConfiguration":"c"}]}`,
		`{"wish":"\ud800<","attachments":[{"interface":"a","wanted":"hunter2","subnet":"\u0000","networkNamespace":"n",` +
			`"networkNamespaceUID":"u","vlan":4094,"networkAttachmentDefinition":"ns/name","mac":"","networkConfiguration":"c"}]}`,
		`{"wish":"w","attachments":[{"interface":"hunter2 "}]}`, `{"hunter2":1}`, `{"wish":7}`, `[]hunter2`,
		`{"config":"east","strategy":"default","reason":"<>","steps":[{"strategy":"a","verdict":"NoOpinion"}]}`,
		`{"config":"` + strings.Repeat("<", 400) + `","reason":"` + strings.Repeat("&", 400) + `"}`,
		`{"token":"monday","instance":"a-b","at":"2026-03-04T05:06:07Z","done":true}`,
		`{"token":"hunter2\u0000<","instance":"","at":"2026-03-04T05:06:07.5Z"}`, `{"instance":"a","stage":"hunter2"}`,
		`{"instance":"a","stage":"Paused","at":"2026-03-04T05:06:07Z"}`, "a, b,,a,\x00,c", `{"WISH":"a","wish":"b","Attachments":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, annotation string) {
		disks, err := v1alpha1.ParseDiskRecord(annotation)
		checkRecord(t, known, disks, err, v1alpha1.ErrInvalidDiskRecord, v1alpha1.ParseDiskRecord)
		network, err := v1alpha1.ParseNetworkRecord(annotation)
		checkRecord(t, known, network, err, v1alpha1.ErrInvalidNetworkRecord, v1alpha1.ParseNetworkRecord)
		restart, err := v1alpha1.ParseRestartRecord(annotation)
		checkRecord(t, known, restart, err, v1alpha1.ErrInvalidRestartRecord, v1alpha1.ParseRestartRecord)
		pause, err := v1alpha1.ParsePauseRecord(annotation)
		checkRecord(t, known, pause, err, v1alpha1.ErrInvalidPauseRecord, v1alpha1.ParsePauseRecord)
		checkTrace(t, v1alpha1.ParsePlacementTrace(annotation))
		checkClusterUIDs(t, annotation)
	})
}

// checkRecord holds for one record that was read, or for the error of reading it.
func checkRecord[R interface{ String() string }](
	t *testing.T, known map[string]bool, record R, err, sentinel error, parse func(string) (R, error),
) {
	t.Helper()
	if err != nil {
		if checkWords(t, known, err); !errors.Is(err, sentinel) || len(err.Error()) > 200 {
			t.Errorf("an error that is none of ours, or too long: %v", err)
		}
		return
	}
	again, err := parse(record.String())
	if diff := cmp.Diff(record.String(), again.String()); err != nil || diff != "" {
		t.Errorf("written and read again: %v\n-want +got:\n%s", err, diff)
	}
}

func checkTrace(t *testing.T, trace v1alpha1.PlacementTrace) {
	t.Helper()
	text := trace.String()
	again := v1alpha1.ParsePlacementTrace(text)
	switch {
	case len(text) > v1alpha1.MaxPlacementTrace:
		t.Errorf("a trace of %d bytes", len(text))
	case text != "{}" && again.String() != text:
		t.Errorf("%s is written again as %s", text, again)
	case text != "{}" && (again.Config != trace.Config || again.Strategy != trace.Strategy):
		t.Errorf("%+v is read again as %+v", trace, again)
	}
}

// checkClusterUIDs reads an annotation of former identities: each of them stays one exactly once,
// and the one of now is none.
func checkClusterUIDs(t *testing.T, annotation string) {
	t.Helper()
	config := &v1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{
		Annotations: map[string]string{v1alpha1.AnnotationFormerClusterUIDs: annotation},
	}}
	former := v1alpha1.FormerClusterUIDs(config)
	next := config.DeepCopy()
	next.Annotations[v1alpha1.AnnotationFormerClusterUIDs] = v1alpha1.WithFormerClusterUID(config, "before", "now")
	kept := v1alpha1.FormerClusterUIDs(next)
	if slices.Contains(kept, "now") || len(kept) > 16 || len(kept) == 0 || kept[len(kept)-1] != "before" {
		t.Errorf("%q of %q", kept, former)
	}
	want := append(slices.DeleteFunc(former, func(uid string) bool { return uid == "before" || uid == "now" }), "before")
	if diff := cmp.Diff(want[max(0, len(want)-16):], kept); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
