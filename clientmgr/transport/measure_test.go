package transport

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// answer is a response to a list or to a watch.
func answer(t *testing.T, query, kind, body string) (*http.Request, *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cluster.invalid/api/v1/pods"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req, &http.Response{
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(body))),
	}
}

func TestWhatIsCounted(t *testing.T) {
	const list, watch, plain = "", "?watch=true", "application/json"
	for _, tc := range []struct {
		reason, query, kind, body string
		want                      amount
	}{
		{"one object", list, plain, `{"a":1,"b":[2,3]}`, amount{bytes: 17, values: 4, event: 16}},
		{"items are what is in a list in an object", list, plain, `{"items":[{},{},{"a":{}}]}`,
			amount{bytes: 26, values: 8, objects: 3, event: 12}},
		{"a text may have brackets and quotes", list, plain, `{"a":"{[,\"{,"}`, amount{bytes: 15, values: 1, event: 15}},
		{"the end of a text may be escaped", list, plain, `{"a":"\\","b":{}}`, amount{bytes: 17, values: 3, event: 16}},
		{"each event counts, and the largest", watch, plain, `{"a":{"b":{}}}{}` + "\n{}",
			amount{bytes: 19, values: 5, objects: 3, event: 14}},
		{"what is no JSON has bytes alone", list, "application/vnd.kubernetes.protobuf", `{},{}`, amount{bytes: 5}},
		{"what says nothing may be JSON", list, "", `{},{}`, amount{bytes: 5, values: 3, event: 3}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			req, resp := answer(t, tc.query, tc.kind, tc.body)
			m := NewMeter(Limits{})
			body := m.Body(req, resp)
			if _, err := io.Copy(io.Discard, body); err != nil {
				t.Fatal(err)
			}
			got := amount{m.bytes.Load(), m.values.Load(), m.objects.Load(), m.event.Load()}
			if got != tc.want {
				t.Errorf("want %+v, got %+v", tc.want, got)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	const body = `{"items":[{"a":1},{"a":2}]}`
	for _, tc := range []struct {
		reason string
		limits Limits
		want   error
	}{
		{"all of it is allowed", Limits{Bytes: 27, Values: 5, Objects: 2}, nil},
		{"a byte too many", Limits{Bytes: 26}, ErrTooLarge},
		{"a value too many", Limits{Values: 4}, ErrTooLarge},
		{"an item too many", Limits{Objects: 1}, ErrTooLarge},
		{"an item too large", Limits{Event: 16}, ErrTooLarge},
		{"items that are large together", Limits{Event: 17}, nil},
		{"0 is no limit", Limits{}, nil},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			req, resp := answer(t, "", "application/json", body)
			m := NewMeter(Limits{Bytes: 1 << 20})
			of := m.call(req, resp, tc.limits)
			if _, err := io.Copy(io.Discard, of); !errors.Is(err, tc.want) {
				t.Errorf("want %v, got %v", tc.want, err)
			}
			if err := errors.Join(of.Close(), of.Close()); err != nil {
				t.Error(err)
			}
			if left := m.bytes.Load() + m.values.Load() + m.objects.Load(); left != 0 {
				t.Errorf("a call that is over counts still: %d", left)
			}
		})
	}
}

func TestCallsShareALimit(t *testing.T) {
	m := NewMeter(Limits{Bytes: 5})
	var last error
	for range 3 {
		req, resp := answer(t, "", "application/json", "{  }")
		_, last = io.Copy(io.Discard, m.call(req, resp, Limits{}))
	}
	if !errors.Is(last, ErrTooLarge) {
		t.Errorf("three calls that are under way read more than all may: %v", last)
	}
}
