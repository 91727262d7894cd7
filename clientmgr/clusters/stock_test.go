package clusters

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// event is one of a watch, of about so many bytes.
func event(size int) string {
	return `{"type":"MODIFIED","object":{"metadata":{"name":"a","annotations":{"a":"` + strings.Repeat("x", size) + `"}}}}`
}

func TestStock(t *testing.T) {
	holding := func(objects, size int) func() []toolscache.Store {
		store := toolscache.NewStore(toolscache.MetaNamespaceKeyFunc)
		for i := range objects {
			_ = store.Add(&corev1.ConfigMap{ // a key can be made of it
				ObjectMeta: metav1.ObjectMeta{Name: string(rune('a' + i))}, Data: map[string]string{"a": strings.Repeat("x", size)},
			})
		}
		return func() []toolscache.Store { return []toolscache.Store{store} }
	}
	for _, tc := range []struct {
		reason string
		filled bool
		stores func() []toolscache.Store
		body   string
		want   error
	}{
		{"less than the limit", false, holding(0, 0), event(100), nil},
		{"a cache that is not filled yet gets no more", false, holding(0, 0), strings.Repeat(event(300), 10),
			transport.ErrTooLarge},
		{"what comes replaces what is there", true, holding(1, 300), strings.Repeat(event(300), 100), nil},
		{"the cache holds too much", true, holding(4, 300), strings.Repeat(event(300), 10), transport.ErrTooLarge},
		{"the cache holds too many", true, holding(6, 1), strings.Repeat(event(300), 10), transport.ErrTooLarge},
		{"events that come one after the other count", true, holding(6, 1), strings.Repeat(event(1), 10),
			transport.ErrTooLarge},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			woken := false
			s := newStock(Fill{Timeout: time.Minute, MaxBytes: 1000, MaxObjects: 5},
				clocktesting.NewFakeClock(time.Unix(1e9, 0)), func() bool { return tc.filled }, tc.stores,
				func() { woken = true })
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.invalid/api/v1/configmaps?watch=true", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp := &http.Response{Body: io.NopCloser(strings.NewReader(tc.body)), Header: http.Header{}}
			got := &strings.Builder{}
			if _, err := io.Copy(got, s.body(req, resp, nil)); !errors.Is(err, tc.want) {
				t.Errorf("want %v, got %v", tc.want, err)
			}
			if tc.want == nil && got.String() != tc.body {
				t.Errorf("of %d bytes %d came through", len(tc.body), got.Len())
			}
			if over := s.over.Load(); over != (tc.want != nil) || woken != over {
				t.Errorf("too much: %t, told: %t", over, woken)
			}
		})
	}
}

// TestFirstPartInTime holds that a watch which begins with all objects is not waited for for ever,
// however much it sends.
func TestFirstPartInTime(t *testing.T) {
	for _, tc := range []struct {
		reason string
		sent   []string
		late   bool
	}{
		{"nothing but objects comes", []string{event(1), event(1)}, true},
		{"all objects have come", []string{event(1), `{"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/init`,
			`ial-events-end":"true"}}}}`}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
			s := newStock(Fill{Timeout: time.Minute, MaxBytes: 1 << 20, MaxObjects: 5}, clock,
				func() bool { return false }, func() []toolscache.Store { return nil }, func() {})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
				"https://a.invalid/api/v1/configmaps?watch=true&sendInitialEvents=true", nil)
			if err != nil {
				t.Fatal(err)
			}
			from, to := io.Pipe()
			late := false
			body := s.body(req, &http.Response{Body: from, Header: http.Header{}}, func() { late = true })
			go func() {
				for _, part := range tc.sent {
					_, _ = io.WriteString(to, part) // the reader may have gone
				}
				_, _ = io.WriteString(to, "\n") // is read once what came before was looked at
				clock.Step(time.Minute)
				_ = to.Close()
			}()
			_, err = io.Copy(io.Discard, body)
			if late != tc.late || (err != nil) != tc.late {
				t.Errorf("late: want %t, got %t; %v", tc.late, late, err)
			}
		})
	}
}
