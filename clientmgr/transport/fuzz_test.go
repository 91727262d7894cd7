package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// FuzzMeter holds what a Meter counts against what encoding/json finds in the same bytes, in
// whatever pieces they come: a server that could hide values from the Meter would fill our memory.
func FuzzMeter(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "[]", `{"items":[{},{},{"a":{}}]}`, `{"a":{"b":{}}}{}` + "\n{}", `{"a":"{[,\"{,"}`, `{"a":"\\","b":{}}`,
		`{"a":1,"b":[2,3]}`, `[[[{},{}]],[{}]]`, "1,2", `"\u005c"{}`, "]{}", "}}}}[{}]", `{"a":"` + "\xff\\\xff" + `"}`,
		" {} 7 \"a\" [] null {}", `{"metadata":{},"items":[{"spec":{"a":[1]}},{}]}`, "{\"a\":\"\n", `"`, `\"{"`,
	} {
		f.Add([]byte(seed), uint8(1), false)
		f.Add([]byte(seed), uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8, watch bool) {
		got := metered(t, data, int(piece)+1, watch)
		if whole := metered(t, data, len(data)+1, watch); got != whole {
			t.Errorf("in pieces of %d: %+v, and as a whole: %+v", int(piece)+1, got, whole)
		}
		want, valid := byTokens(data, watch)
		if !watch {
			want.event = got.event // of a list it is what stands between the ends of two items
		}
		if valid && got != want {
			t.Errorf("encoding/json counts %+v, the meter %+v", want, got)
		}
		for _, limits := range []Limits{
			{Bytes: got.bytes - 1}, {Values: got.values - 1}, {Objects: got.objects - 1}, {Event: got.event - 1},
		} {
			if !refusedBy(t, data, watch, limits, got) {
				t.Errorf("limits %+v are not held with %+v", limits, got)
			}
		}
	})
}

// metered reads data through a Meter without limits, at most piece bytes at once.
func metered(t *testing.T, data []byte, piece int, watch bool) amount {
	t.Helper()
	m := NewMeter(Limits{})
	body := m.Body(answerOf(data, watch))
	read := bytes.Buffer{}
	if _, err := io.CopyBuffer(onlyWriter{&read}, body, make([]byte, piece)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read.Bytes(), data) {
		t.Error("the meter changed what it passed on")
	}
	return amount{m.bytes.Load(), m.values.Load(), m.objects.Load(), m.event.Load()}
}

// refusedBy reports whether a reader meets ErrTooLarge exactly where the limits are below the sum.
func refusedBy(t *testing.T, data []byte, watch bool, limits Limits, sum amount) bool {
	t.Helper()
	_, err := io.Copy(io.Discard, NewMeter(limits).Body(answerOf(data, watch)))
	return errors.Is(err, ErrTooLarge) == limits.exceeded(sum)
}

func answerOf(data []byte, watch bool) (*http.Request, *http.Response) {
	address := &url.URL{Scheme: "https", Host: "cluster.invalid", Path: "/api/v1/pods"}
	if watch {
		address.RawQuery = "watch=true"
	}
	return &http.Request{Method: http.MethodGet, URL: address}, &http.Response{Body: io.NopCloser(bytes.NewReader(data))}
}

// onlyWriter hides io.ReaderFrom, so that a copy uses the buffer that it is given.
type onlyWriter struct{ io.Writer }

// byTokens is what a Meter should count, by encoding/json. It is false where the bytes are not JSON
// values one after another.
func byTokens(data []byte, watch bool) (want amount, valid bool) {
	want.bytes = int64(len(data))
	var inside []container // the lists and objects that are open
	var begin int64        // of what stands at depth 0
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if err != nil {
			want.event = max(want.event, int64(len(data))-begin)
			if !watch {
				want.event = 0
			}
			return want, errors.Is(err, io.EOF) && len(inside) == 0
		}
		delimiter, _ := token.(json.Delim)
		if delimiter == '}' || delimiter == ']' {
			want.values += inside[len(inside)-1].commas()
			if inside = inside[:len(inside)-1]; len(inside) == 0 {
				want.event, begin = max(want.event, decoder.InputOffset()-begin), decoder.InputOffset()
			}
			continue
		}
		if len(inside) > 0 {
			inside[len(inside)-1].tokens++
		}
		if delimiter != 0 {
			if want.values++; delimiter == '{' && len(inside) == map[bool]int{true: 0, false: 2}[watch] {
				want.objects++
			}
			inside = append(inside, container{object: delimiter == '{'})
		}
	}
}

// container is a list or an object, with the number of tokens that were read in it.
type container struct {
	object bool
	tokens int64
}

func (c container) commas() int64 {
	if c.object {
		return max(0, c.tokens/2-1) // a name and a value
	}
	return max(0, c.tokens-1)
}
