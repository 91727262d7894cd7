package v1alpha1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// underWay is the record of a move that was begun.
func underWay() v1alpha1.MoveRecord {
	return v1alpha1.MoveRecord{
		ID: "5c1d7d5a-55f4-46a6-8ed0-91d9d66c1f0b", Name: "web-to-north", Mode: v1alpha1.MoveModeCold,
		Stage: v1alpha1.MoveBegun, Was: "Always", Ran: true,
		From: complete,
		To: v1alpha1.Ledger{Config: "cluster-north", ClusterUID: "north-uid", Namespace: "default",
			VMName: "vm-web.example", Nonce: "p3q9"},
	}
}

// committed is the record of a move whose Machine is at the target.
func committed() v1alpha1.MoveRecord {
	record := underWay()
	record.Stage, record.To.VMUID = v1alpha1.MoveCommitted, "new-uid"
	return record
}

func TestParseMoveRecord(t *testing.T) {
	text := underWay().String()
	cases := map[string]struct {
		reason     string
		annotation string
		want       v1alpha1.MoveRecord
		wantErr    string // what the error contains, "" for none
	}{
		"begun":     {reason: "as the operator writes it", annotation: text, want: underWay()},
		"committed": {reason: "as the operator writes it", annotation: committed().String(), want: committed()},
		"empty":     {reason: "no record is not an empty one", annotation: "", wantErr: "not the JSON"},
		"null":      {reason: "encoding/json would take null for an empty record", annotation: "null", wantErr: `field "id"`},
		"cut off":   {reason: "half a record", annotation: text[:len(text)/2], wantErr: "not the JSON"},
		"two": {
			reason: "a decoder stops after the first", annotation: text + text, wantErr: "not the JSON",
		},
		"spaced": {
			reason: "nobody else writes it, so it stands there to the letter", annotation: text + " ", wantErr: "not the JSON",
		},
		"another case": {
			reason:     "encoding/json takes Stage for stage, other readers do not",
			annotation: strings.Replace(text, `"stage"`, `"Stage"`, 1),
			wantErr:    "not the JSON",
		},
		"twice": {
			reason:     "encoding/json takes the last, other readers the first",
			annotation: strings.Replace(text, `"stage"`, `"stage":"Committed","stage"`, 1),
			wantErr:    "not the JSON",
		},
		"unknown field": {
			reason:     "a later release means something by it that must not be lost",
			annotation: strings.Replace(text, `"stage"`, `"epoch":"2","stage"`, 1),
			wantErr:    "not the JSON",
		},
		"unknown field of a side": {
			reason:     "a side is read as strictly as the whole",
			annotation: strings.Replace(text, `"nonce":"p3q9"`, `"nonce":"p3q9","epoch":"2"`, 1),
			wantErr:    "not the JSON",
		},
		"long": {reason: "an annotation may have 256 KiB", annotation: strings.Repeat(" ", 8193), wantErr: "longer than 8192 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := v1alpha1.ParseMoveRecord(tc.annotation)
			checkMoveError(t, tc.reason, err, tc.wantErr)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMoveRecordValidate(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.MoveRecord)
		field  string // that the error names, "" for none
	}{
		"begun":    {reason: "as the operator writes it", change: func(*v1alpha1.MoveRecord) {}},
		"aborting": {reason: "a stage", change: func(r *v1alpha1.MoveRecord) { r.Stage = v1alpha1.MoveAborting }},
		"no id":    {reason: "everything that is made carries it", change: func(r *v1alpha1.MoveRecord) { r.ID = "" }, field: "id"},
		"id with a space": {
			reason: "it becomes an annotation", change: func(r *v1alpha1.MoveRecord) { r.ID = "a b" }, field: "id",
		},
		"no name":     {reason: "messages name it", change: func(r *v1alpha1.MoveRecord) { r.Name = "" }, field: "name"},
		"no mode":     {reason: "each mode has steps of its own", change: func(r *v1alpha1.MoveRecord) { r.Mode = "" }, field: "mode"},
		"live":        {reason: "nobody can do it yet", change: func(r *v1alpha1.MoveRecord) { r.Mode = "Live" }, field: "mode"},
		"a new stage": {reason: "a later release's", change: func(r *v1alpha1.MoveRecord) { r.Stage = "Paused" }, field: "stage"},
		"no strategy": {
			reason: "the guest gets it again", change: func(r *v1alpha1.MoveRecord) { r.Was = "" }, field: "was",
		},
		"remembered": {reason: "what only the running instance has", change: func(r *v1alpha1.MoveRecord) {
			r.UUID, r.MACs = "5d2f1c3a-0f8e-5c39-9a21-7a3b8f1e2d4c", "default=02:00:00:00:00:01"
		}},
		"long UUID": {
			reason: "an annotation has little room", change: func(r *v1alpha1.MoveRecord) { r.UUID = strings.Repeat("a", 65) },
			field: "uuid",
		},
		"many addresses": {
			reason: "an annotation has little room", change: func(r *v1alpha1.MoveRecord) { r.MACs = strings.Repeat("a", 2049) },
			field: "macs",
		},
		"source without a virtual machine": {
			reason: "only what is known by its UID is stopped",
			change: func(r *v1alpha1.MoveRecord) { r.From.VMUID = "" }, field: "from",
		},
		"source in a move": {
			reason: "a place names no move", change: func(r *v1alpha1.MoveRecord) { r.From.Move = r.ID }, field: "from",
		},
		"source broken": {
			reason: "a side is a ledger", change: func(r *v1alpha1.MoveRecord) { r.From.Config = "East" }, field: "from",
		},
		"target broken": {
			reason: "a side is a ledger", change: func(r *v1alpha1.MoveRecord) { r.To.Nonce = "" }, field: "to",
		},
		"target in a move": {
			reason: "a place names no move", change: func(r *v1alpha1.MoveRecord) { r.To.Move = r.ID }, field: "to",
		},
		"committed to nothing": {
			reason: "the Machine is placed at a virtual machine that was seen",
			change: func(r *v1alpha1.MoveRecord) { r.Stage = v1alpha1.MoveCommitted }, field: "to",
		},
		"the same cluster": {
			reason: "clean-up of the one side would delete the other",
			change: func(r *v1alpha1.MoveRecord) { r.To.ClusterUID = r.From.ClusterUID }, field: "to",
		},
		"another namespace": {
			reason: "a Machine lives in the namespace of its own name in each cluster",
			change: func(r *v1alpha1.MoveRecord) { r.To.Namespace = "other" }, field: "to",
		},
		"the same nonce": {
			reason: "a restored source could pass for the target",
			change: func(r *v1alpha1.MoveRecord) { r.To.Nonce = r.From.Nonce }, field: "to",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			record, want := underWay(), ""
			tc.change(&record)
			if tc.field != "" {
				want = fmt.Sprintf("field %q", tc.field)
			}
			checkMoveError(t, tc.reason, record.Validate(), want)
			_, err := v1alpha1.ParseMoveRecord(record.String())
			checkMoveError(t, tc.reason, err, want)
		})
	}
}

// TestMoveRecordOf: the record is in force while the ledger names it, and where the two do not agree
// nothing is done.
func TestMoveRecordOf(t *testing.T) {
	place := func(record v1alpha1.MoveRecord) string { return record.Place().String() }
	cases := map[string]struct {
		reason        string
		ledger, moved string
		under         bool
		wantErr       string
	}{
		"none":      {reason: "most Machines", ledger: complete.String()},
		"no ledger": {reason: "it is placed nowhere", moved: underWay().String()},
		"left over": {
			reason: "the move is over once the ledger says so, and its record may stay a while",
			ledger: complete.String(), moved: underWay().String(),
		},
		"begun": {
			reason: "the Machine is at the source", ledger: place(underWay()), moved: underWay().String(), under: true,
		},
		"committed": {
			reason: "the Machine is at the target", ledger: place(committed()), moved: committed().String(), under: true,
		},
		"lost": {
			reason: "a ledger that names a record which is gone", ledger: place(underWay()), under: true, wantErr: "not the JSON",
		},
		"another": {
			reason: "the record of another move", ledger: place(underWay()), under: true,
			moved:   strings.ReplaceAll(underWay().String(), underWay().ID, "another"),
			wantErr: "the ledger names another move",
		},
		"another place": {
			reason: "half of a commit never is written, so somebody changed one of the two",
			ledger: place(underWay()), moved: committed().String(), under: true,
			wantErr: "the ledger names another place",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationMove: tc.moved}}
			if tc.ledger != "" {
				machine.Annotations[v1alpha1.AnnotationPlacement] = tc.ledger
			}
			record, under, err := v1alpha1.MoveRecordOf(machine)
			checkMoveError(t, tc.reason, err, tc.wantErr)
			if under != tc.under {
				t.Errorf("%s: under way is %t", tc.reason, under)
			}
			if err == nil && under && record.String() != tc.moved {
				t.Errorf("%s: got %s", tc.reason, record)
			}
		})
	}
}

// TestMoveStopsAnOlderOperator: a release that knows no moves reads a ledger strictly, and must not be
// able to read one that names a move.
func TestMoveStopsAnOlderOperator(t *testing.T) {
	known := map[string]bool{"config": true, "clusterUID": true, "namespace": true, "vmName": true, "nonce": true, "vmUID": true}
	text := underWay().Place().String()
	if !strings.Contains(text, `"move":"`+underWay().ID+`"`) || known["move"] {
		t.Errorf("an older operator can read %s", text)
	}
	if strings.Contains(complete.String(), "move") {
		t.Errorf("an older operator cannot read %s", complete)
	}
}

// FuzzParseMoveRecord: what is accepted is written to the letter as it was, and what is not is refused
// without a word of it.
func FuzzParseMoveRecord(f *testing.F) {
	known := vocabulary(f)
	for _, seed := range []string{
		"", "null", "{}", "[]", underWay().String(), committed().String(),
		strings.Replace(underWay().String(), "Always", "Hunter2 hunter2", 1),
		strings.Replace(underWay().String(), `"ran":true`, `"ran":false`, 1),
		strings.Replace(underWay().String(), "vm-web.example", `<&\u2028`, 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, annotation string) {
		record, err := v1alpha1.ParseMoveRecord(annotation)
		if err != nil {
			if checkWords(t, known, err); !errors.Is(err, v1alpha1.ErrInvalidMoveRecord) || len(err.Error()) > 200 {
				t.Errorf("an error that is none of ours, or too long: %v", err)
			}
			if record != (v1alpha1.MoveRecord{}) {
				t.Errorf("a record beside an error: %s", record)
			}
			return
		}
		if record.String() != annotation {
			t.Errorf("%q is written as %q", annotation, record)
		}
		machine := &metav1.ObjectMeta{Annotations: map[string]string{
			v1alpha1.AnnotationMove: annotation, v1alpha1.AnnotationPlacement: record.Place().String(),
		}}
		if again, under, err := v1alpha1.MoveRecordOf(machine); err != nil || !under || again != record {
			t.Errorf("%s is not in force at its own place: %t, %v", record, under, err)
		}
	})
}

func checkMoveError(t *testing.T, reason string, err error, want string) {
	t.Helper()
	switch {
	case want == "":
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	case err == nil:
		t.Errorf("%s: no error, want one with %q", reason, want)
	case !errors.Is(err, v1alpha1.ErrInvalidMoveRecord) || !strings.Contains(err.Error(), want):
		t.Errorf("%s: error %q, want ErrInvalidMoveRecord with %q", reason, err, want)
	}
}
