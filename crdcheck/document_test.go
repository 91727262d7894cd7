package crdcheck_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestFormsOfFiles reads what editors and other programs make of a file as kubectl does, whose own
// decoder stands beside ours.
func TestFormsOfFiles(t *testing.T) {
	cases := map[string]struct {
		reason, stream string
		failed         string // ours; kubectl fails too, with words that do not help
	}{
		"CRLF":            {reason: "an editor on Windows", stream: "kind: A\r\n---\r\nkind: B\r\n"},
		"byte order mark": {reason: "an editor on Windows", stream: "\ufeffkind: A\n---\nkind: B\n"},
		"byte order mark of a second file": {
			reason: "files that were put one behind the other", stream: "kind: A\n---\n\ufeffkind: B\n",
		},
		"byte order mark before JSON":        {reason: "JSON of such an editor", stream: "\ufeff{\"kind\": \"A\"}\n"},
		"byte order mark before a separator": {reason: "a chart's output", stream: "\ufeff---\nkind: A\n"},
		"tab behind a colon":                 {reason: "a tab may separate, though it may not indent", stream: "kind:\tA\n"},
		"tab behind a separator":             {reason: "white space ends the separator", stream: "kind: A\n---\t\nkind: B\n"},
		"tab that indents": {
			reason: "YAML is indented with spaces", stream: "kind: A\nspec:\n\tx: 1\n",
			failed: "line 3, document 1: yaml: line 3: found character that cannot start any token",
		},
		"control character": {
			reason: "a file that is no text", stream: "k\x00: a\n",
			failed: "line 1, document 1: yaml: control characters are not allowed",
		},
		"version directive": {
			reason: "some generators write it", stream: "# made\n%YAML 1.2\n---\nkind: A\n",
			failed: `line 2, document 1: "%YAML 1.2": kubectl takes no directives of YAML: leave the line out`,
		},
		"tag directive": {
			reason: "a directive without a document", stream: "kind: A\n---\n%TAG ! tag:x,2000:\n---\nkind: B\n",
			failed: `line 3, document 2: "%TAG ! tag:x,2000:": kubectl takes no directives of YAML: leave the line out`,
		},
		"directive behind a byte order mark": {
			reason: "both", stream: "\ufeff%YAML 1.1\r\n---\r\nkind: A\r\n",
			failed: `line 1, document 1: "%YAML 1.1": kubectl takes no directives of YAML: leave the line out`,
		},
		"percent sign in a text": {reason: "a text is no directive", stream: "text: |-\n  %YAML\nlast: \"%\"\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []map[string]any
			err := crdcheck.EachDocument(strings.NewReader(tc.stream), func(document []byte, _ int) error {
				var value map[string]any
				got = append(got, value)
				return json.Unmarshal(document, &got[len(got)-1])
			})
			want, refused := byKubectl(tc.stream)
			if tc.failed != "" {
				if refused == nil || err == nil || !strings.Contains(err.Error(), tc.failed) {
					t.Errorf("%s: want %q, kubectl says %v, got %v", tc.reason, tc.failed, refused, err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil || refused != nil {
				t.Errorf("%s: error %v, kubectl's %v: -kubectl +got:\n%s", tc.reason, err, refused, diff)
			}
		})
	}
}

// byKubectl reads a stream with the decoder of kubectl.
func byKubectl(stream string) (all []map[string]any, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(stream), 4096)
	for {
		var value map[string]any
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, err
		}
		if value != nil {
			all = append(all, value)
		}
	}
}
