package placementhost

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// FuzzStrategiesFile reads an arbitrary strategies file. What is accepted is read as the same once
// it is written out, and an error leads to its place: the path of the file and a line or a field.
func FuzzStrategiesFile(f *testing.F) {
	for _, seed := range []string{
		"", "strategies: []", "strategies:\n- name: zone\n", "strategies: [{name: a, config: {b: [1, 2.50, null, x]}}]", "null",
		"strategies: [{name: a, socket: /run/a.sock, peerUID: 65532, onError: skip, timeout: 1s}]", "- name: a", "strategies: 7",
		`{"strategies":[{"name":"a","path":"p","sha256":"00","args":["-v","é"],"timeout":"-1h","onError":"refuse"}]}`,
		"strategies: [{name: a, onError: Skip}]", "strategies: [{name: a, timeout: 5}]", "strategies: [{name: a, peerUID: -1}]",
		"strategies: [{name: a, Nom: b}]", "strategies: [{name: a, name: b}]", "strategies: [{NAME: a, config: !!binary aGk=}]",
		"strategies: &a [{name: a}, *a]", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "strategies: [{name: a, config: \"{\"}]",
		"strategies: [{config: 1e999}]", "strategies:\n\t- a", "\x00", "---\nstrategies: [{name: a}]\n---\nstrategies: [{name: b}]",
		"strategies: [null]", "strategies: [{timeout: 9999999h}]", "strategies: [{name: a, config: null}]", "? {a: b}\n: c",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "strategies.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, err := readFrom(t, path, content)
		if err != nil {
			text, leads := strings.CutPrefix(err.Error(), "placement configuration "+path+": ")
			if !leads || !place.MatchString(text) || len(entries) > 0 {
				t.Errorf("%d entries, and an error that leads nowhere: %v", len(entries), err)
			}
			return
		}
		if len(entries) == 0 {
			t.Fatal("an empty chain is accepted")
		}
		again, err := readFrom(t, path, written(t, entries))
		if diff := cmp.Diff(entries, again); err != nil || diff != "" {
			t.Errorf("written and read again: %v\n-want +got:\n%s", err, diff)
		}
	})
}

// place is what an error tells so that a person finds the fault.
var place = regexp.MustCompile(`strategies|config\b|line \d+|field|unmarshal|yaml: |duration|policy`)

func readFrom(t *testing.T, path string, content []byte) ([]plugin.Entry, error) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return readConfig(path)
}

// written is a strategies file with the entries.
func written(t *testing.T, entries []plugin.Entry) []byte {
	t.Helper()
	text, err := yaml.Marshal(config{Strategies: entries})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzSums reads arbitrary digests: each name is clean and has one digest, and what is written out
// as sha256sum does reads as the same.
func FuzzSums(f *testing.F) {
	one, two := strings.Repeat("0", 63)+"1", strings.Repeat("0", 63)+"2"
	for _, seed := range []string{
		"", one + "  placement-a\n" + two + " *placement-b\n", one + "  ./placement-a\r\n\r\n", one + "  /x/../y\n", one + "  a b \n",
		one + "  placement-a\n" + two + "  placement-a\n", "SHA256 (placement-a) = " + one + "\n", " ", "a", "\x00 \x00", one + "  ..\n",
		strings.Repeat("x", 70000) + " y", "\\" + one + "  a\\nb\n", one + "  *\n", one + "   \n",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), SumsFile)
	f.Fuzz(func(t *testing.T, content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		sums, err := readSums(path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "reading "+path+": ") || len(sums) > 0 {
				t.Errorf("%d digests, and an error that leads nowhere: %v", len(sums), err)
			}
			return
		}
		text := strings.Builder{}
		for name, sum := range sums {
			if filepath.Clean(name) != name || !strings.Contains(content, sum) || strings.ContainsAny(sum, " \t\r\n") {
				t.Errorf("digest %q of %q", sum, name)
			}
			if name == strings.TrimLeft(name, " *") && name == strings.TrimSpace(name) {
				text.WriteString(sum + "  " + name + "\n")
			} else {
				delete(sums, name) // the format does not carry it
			}
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := readSums(path)
		if diff := cmp.Diff(sums, again); err != nil || diff != "" {
			t.Errorf("written and read again: %v\n-want +got:\n%s", err, diff)
		}
	})
}
