package plugin

import (
	"bytes"
	"strings"
	"testing"
)

// TestByHand calls a plugin as a person does, and as the operator does.
func TestByHand(t *testing.T) {
	cases := map[string]struct {
		reason      string
		args        []string
		environment map[string]string
		code        int
		ends        bool
		out, err    string
	}{
		"version": {
			reason: "A person asks which version an image has.", args: []string{"/plugins/placement-x", "--version"}, ends: true,
			out: "placement-x ",
		},
		"nothing": {
			reason: "A person who starts it wants to know what it is for.", args: []string{"placement-x"}, ends: true, code: 2,
			err: "placement-x: it is a placement plugin",
		},
		"host": {
			reason: "The host starts it with its cookie.", args: []string{"placement-x"},
			environment: map[string]string{CookieKey: CookieValue},
		},
		"side-car": {
			reason: "A side-car has a socket.", args: []string{"placement-x"}, environment: map[string]string{SocketKey: "/s"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			code, ends := byHand(tc.args, func(key string) string { return tc.environment[key] }, &out, &err)
			if code != tc.code || ends != tc.ends {
				t.Errorf("%s It ends (%t) with %d", tc.reason, ends, code)
			}
			if !strings.HasPrefix(out.String(), tc.out) || !strings.HasPrefix(err.String(), tc.err) ||
				(tc.out == "") != (out.Len() == 0) || (tc.err == "") != (err.Len() == 0) {
				t.Errorf("%s It prints %q and %q", tc.reason, out.String(), err.String())
			}
		})
	}
}
