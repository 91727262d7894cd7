package exit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
)

func TestCode(t *testing.T) {
	cause := errors.New("no place")
	cases := map[string]struct {
		reason string
		err    error
		code   int
		text   string
	}{
		"nothing":  {reason: "A program that did its work ends with 0 and says no more.", code: exit.Fine},
		"an error": {reason: "An error that knows no code is no answer.", err: cause, code: exit.Broken, text: "no place"},
		"no": {
			reason: "A negative answer keeps its code however often it is wrapped.",
			err:    fmt.Errorf("web: %w", exit.No(cause)), code: exit.Negative, text: "web: no place",
		},
		"half an answer": {
			reason: "A cluster that did not answer leaves the answer incomplete.",
			err:    exit.Incomplete(cause), code: exit.Partial, text: "no place",
		},
		"said": {
			reason: "Where a table has said everything no line follows it.",
			err:    fmt.Errorf("check: %w", exit.Said(exit.Negative)), code: exit.Negative,
		},
		"nothing said": {reason: "A table without a finding is a success.", err: exit.Said(exit.Fine), code: exit.Fine},
		"no error":     {reason: "A negative answer needs an error.", err: exit.No(nil), code: exit.Fine},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := exit.Code(tc.err); got != tc.code {
				t.Errorf("%s The code is %d, not %d", tc.reason, got, tc.code)
			}
			if got := exit.Text(tc.err); got != tc.text {
				t.Errorf("%s The text is %q, not %q", tc.reason, got, tc.text)
			}
		})
	}
}
