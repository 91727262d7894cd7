package labels

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestProblemsAreThoseOfKubernetes compares with what validation.IsQualifiedName and
// validation.IsValidLabelValue of k8s.io/apimachinery v0.37.2 said. A selector that one accepts and
// the other refuses would be followed here and fail with kubectl.
func TestProblemsAreThoseOfKubernetes(t *testing.T) {
	content, err := os.ReadFile("testdata/kubernetes.json")
	if err != nil {
		t.Fatal(err)
	}
	var said map[string][]struct {
		Text     string
		Problems []string
	}
	if err := json.Unmarshal(content, &said); err != nil {
		t.Fatal(err)
	}
	for kind, problems := range map[string]func(string) []string{"keys": keyProblems, "values": valueProblems} {
		if len(said[kind]) < 10 {
			t.Fatalf("only %d %s are compared", len(said[kind]), kind)
		}
		for _, each := range said[kind] {
			if diff := cmp.Diff(each.Problems, problems(each.Text), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %q: -Kubernetes +ours:\n%s", kind, each.Text, diff)
			}
		}
	}
}

func TestInvalidSelectors(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"key too long": {
			reason: "no label can have it, so nothing would ever match",
			text:   strings.Repeat("a", 64) + "=north", want: "name part must be no more than 63 bytes",
		},
		"key of bad characters": {
			reason: "a dash at the end is a slip", text: "zone-=north", want: `label key "zone-": name part must consist of`,
		},
		"prefix in capitals": {
			reason: "prefixes are DNS names", text: "Example.com/zone", want: "prefix part a lowercase RFC 1123 subdomain",
		},
		"no prefix before the slash": {
			reason: "the slash is a slip", text: "!/zone", want: "prefix part must be non-empty",
		},
		"value too long": {
			reason: "no label can have it", text: "zone!=" + strings.Repeat("a", 64),
			want: "of label zone: must be no more than 63 bytes",
		},
		"value of bad characters": {
			reason: "a slash is for keys", text: "gpu,zone=north/1",
			want: `value "north/1" of label zone: a valid label must be an empty string or consist of`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseSelector(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want an error with %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}
