package deployment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSteps(t *testing.T) {
	cases := map[string]struct {
		reason   string
		document string
		want     []Step
		fails    string
	}{
		"Two": {
			reason:   "Blocks come in their order, with what they need.",
			document: "# Page\n\n```bash step=one\nls\n```\n\nText.\n\n```bash step=two needs=operator\na\nb\n```\n",
			want:     []Step{{Name: "one", Script: "ls\n"}, {Name: "two", Needs: "operator", Script: "a\nb\n"}},
		},
		"Shown": {
			reason:   "What follows as text is what the step prints.",
			document: "Text.\n\n```bash step=one\nls\n```\n\n```text\nNAME …\n```\n",
			want:     []Step{{Name: "one", Script: "ls\n", Shows: "NAME …\n"}},
		},
		"OtherLanguages": {
			reason:   "What is no bash is for reading.",
			document: "Text.\n\n```yaml\na: b\n```\n",
		},
		"NoName": {
			reason:   "A block without a name would be run by nobody, so that its mistakes would be found by people.",
			document: "Text.\n\n```bash\nls\n```\n",
			fails:    `a bash block has no name: "ls"`,
		},
		"NoEnd": {
			reason:   "A block that is not closed holds the rest of the page.",
			document: "Text.\n\n```bash step=one\nls\n",
			fails:    "step one has no end",
		},
		"Twice": {
			reason:   "A name says which step is meant, so it is given once.",
			document: "Text.\n\n```bash step=one\nls\n```\n\n```bash step=one\nls\n```\n",
			fails:    "two steps have the name one",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Steps(tc.document)
			failed := ""
			if err != nil {
				failed = err.Error()
			}
			if failed != tc.fails {
				t.Fatalf("%s Want the error %q, got %q", tc.reason, tc.fails, failed)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	const shows = "NAME  AGE\nweb   … s\n…\nend\n"
	cases := map[string]bool{
		"NAME AGE\nweb    12 s\nend\n": true, "NAME AGE\nweb 1 s\nmore\nand more\nend": true,
		"NAME AGE\nend\n": false, "NAME AGE\nweb 1 s\n": false, "": false, "NAME AGE\nweb 1 s\nend\nmore\n": false,
	}
	for printed, want := range cases {
		if err := (Step{Shows: shows}).Check(printed); (err == nil) != want {
			t.Errorf("%q: %v", printed, err)
		}
	}
}
