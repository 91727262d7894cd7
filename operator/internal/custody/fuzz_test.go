package custody

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// FuzzRead reads the ledger of a Machine that anybody may have written to. A ledger counts only with
// the finalizer and with a status that says the same; one that does not count says why in words that
// can be shown; and what is read twice is the same.
func FuzzRead(f *testing.F) {
	const ledger = `{"config":"east","clusterUID":"c","namespace":"team-a","vmName":"vm-web","nonce":"n","vmUID":"v"}`
	const status = `{"metadata":{"namespace":"team-a"},"status":{"machineID":"v","vmName":"vm-web","providerID":"p","kubevirtConfigRef":{"name":"east","clusterUID":"c"}}}`
	for _, held := range []bool{true, false} {
		f.Add([]byte(status), ledger, "", held)
		f.Add([]byte(status), strings.ReplaceAll(ledger, "east", "west"), "", held)
		f.Add([]byte(`{"metadata":{"namespace":"team-b"}}`), ledger, "{}", held)
		f.Add([]byte(status), "", "", held)
		f.Add([]byte(status), "hunter2", "hunter2", held)
	}
	f.Fuzz(func(t *testing.T, text []byte, ledger, move string, held bool) {
		machine := &vitistackv1alpha1.Machine{}
		if json.Unmarshal(text, machine) != nil {
			return // an API server hands out only what is of its type
		}
		machine.Annotations = map[string]string{}
		for annotation, value := range map[string]string{
			vitistackv1alpha1.AnnotationPlacement: ledger, vitistackv1alpha1.AnnotationMove: move,
		} {
			if value != "" {
				machine.Annotations[annotation] = value
			}
		}
		providerID := func(vitistackv1alpha1.Ledger) string { return "p" }
		former := func(string) []string { return []string{"before"} }
		reading := Read(machine, held, providerID, former)
		if again := Read(machine, held, providerID, former); !reflect.DeepEqual(reading, again) {
			t.Errorf("%+v is read, then %+v", reading, again)
		}
		parsed, err := vitistackv1alpha1.ParseLedger(ledger)
		switch reading.Standing {
		case Confirmed:
			if !held || err != nil || reading.Ledger != parsed || parsed.Namespace != machine.Namespace {
				t.Errorf("%q counts: held %v, %v", ledger, held, err)
			}
		case Broken:
			if reading.Reason == "" || strings.ContainsFunc(reading.Message, unicode.IsControl) {
				t.Errorf("%q: %q", reading.Reason, reading.Message)
			}
		case Unconfirmed:
			if err != nil || reading.Ledger != parsed {
				t.Errorf("%q is read as %+v: %v", ledger, reading.Ledger, err)
			}
		case None, Lost:
			if ledger != "" {
				t.Errorf("%q is no ledger", ledger)
			}
		}
	})
}
