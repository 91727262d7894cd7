package render_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

func TestRulesMarkdown(t *testing.T) {
	var text bytes.Buffer
	if err := render.RulesMarkdown(&text, crdcheck.Rules()); err != nil {
		t.Fatal(err)
	}
	golden(t, "../RULES.md", text.Bytes())
}

// golden compares with a file, which -update writes anew.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}
