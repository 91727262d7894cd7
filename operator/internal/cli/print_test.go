package cli

import (
	"bytes"
	"strings"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestExplanationNamesHiddenAnnotations holds that the author of a strategy reads which annotations
// it does not see, for people and for tools, and never a value of one.
func TestExplanationNamesHiddenAnnotations(t *testing.T) {
	web := &vitistackv1alpha1.Machine{}
	web.Namespace, web.Name = "team-a", "web"
	web.Annotations = map[string]string{"zone": "value-of-zone", "example.com/token": "value-of-token"}
	e := machine.Explanation{Machine: web, Hidden: []string{"example.com/token", "zone"}, Outcome: machine.Outcome{Verdict: machine.VerdictWait}}
	var text, tools bytes.Buffer
	if err := printExplanation(&text, e); err != nil {
		t.Fatal(err)
	}
	if err := writeExplanation(&tools, e, machine.Fitting{}, nil); err != nil {
		t.Fatal(err)
	}
	want := "Strategies see only annotations that begin with placement.vitistack.io/, and not: example.com/token, zone\n"
	if !strings.Contains(text.String(), want) {
		t.Errorf("it prints %s, want the line %s", text.String(), want)
	}
	if want := "\"hiddenAnnotations\": [\n    \"example.com/token\",\n    \"zone\"\n  ]"; !strings.Contains(tools.String(), want) {
		t.Errorf("it writes %s, want %s", tools.String(), want)
	}
	if all := text.String() + tools.String(); strings.Contains(all, "value-of-") {
		t.Errorf("the value of an annotation is told: %s", all)
	}
}
