package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestCountWrites(t *testing.T) {
	line := func(stage, verb, user, resource string) string {
		return fmt.Sprintf(`{"stage":%q,"verb":%q,"user":{"username":%q},"objectRef":{"resource":%q}}`+"\n",
			stage, verb, user, resource)
	}
	const done = "ResponseComplete"
	cases := map[string]struct {
		reason, lines string
		want          int
	}{
		"nothing":       {"an empty log has no writes", "", 0},
		"a patch":       {"what the operator patched is a write", line(done, "patch", fleet.OperatorUser, "machines"), 1},
		"a read":        {"reading changes nothing", line(done, "get", fleet.OperatorUser, "machines"), 0},
		"another user":  {"what people write is not the operator's", line(done, "patch", "admin", "machines"), 0},
		"not answered":  {"a write counts once, when it is done", line("RequestReceived", "patch", fleet.OperatorUser, "machines"), 0},
		"an Event":      {"an Event is told after the fact, and nothing depends on it", line(done, "create", fleet.OperatorUser, "events"), 0},
		"renewed lease": {"a lease is renewed all the time", line(done, "update", fleet.OperatorUser, "leases"), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := countWrites([]byte(tc.lines)); got != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestUndos: what a step began is ended once, at its time; what cannot be ended is tried again.
func TestUndos(t *testing.T) {
	var u undos
	ended := map[string]int{}
	now := time.Now()
	add := func(what string, due time.Duration, err error) {
		t.Helper()
		failed := u.add(t.Context(), what, now.Add(due), func(context.Context) error {
			ended[what]++
			return err
		})
		if failed != nil {
			t.Fatal(failed)
		}
	}
	add("fault of east", time.Second, nil)
	add("fault of west", time.Minute, nil)
	add("fault of east", time.Hour, nil) // the one before is over
	if diff := cmp.Diff(map[string]int{"fault of east": 1}, ended); diff != "" {
		t.Errorf("after a second fault of the same cluster (-want +got):\n%s", diff)
	}
	if got := u.next(); !got.Equal(now.Add(time.Minute)) {
		t.Errorf("the next is due after %s, want a minute", got.Sub(now))
	}
	broken := errors.New("the API server is frozen")
	add("policy", 0, broken)
	all := func(undo) bool { return true }
	if err := u.finish(t.Context(), all); !errors.Is(err, broken) {
		t.Errorf("ending all: %v, want %v", err, broken)
	}
	if len(u) != 1 || u[0].what != "policy" || !u[0].due.After(now) {
		t.Errorf("what could not be ended is to be tried later: %+v", u)
	}
	if diff := cmp.Diff(map[string]int{"fault of east": 2, "fault of west": 1, "policy": 1}, ended); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}

// TestWebhook: each kind of webhook does what it is called.
func TestWebhook(t *testing.T) {
	cases := map[string]struct {
		reason, how, object string
		allowed             bool
		patch               string
	}{
		"refuse": {"a webhook that refuses says so", refuses, `{"metadata":{"name":"a"}}`, false, ""},
		"mutate": {"an object without labels gets the map of them, too", mutates, `{"metadata":{"name":"a"}}`, true,
			`[{"op":"add","path":"/metadata/labels","value":{"chaos.testkit/mutated":"true"}}]`},
		"mutate one with labels": {"the labels that are there stay", mutates, `{"metadata":{"labels":{"a":"b"}}}`, true,
			`[{"op":"add","path":"/metadata/labels/chaos.testkit~1mutated","value":"true"}]`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			hook := newWebhook(tc.how)
			defer hook.Close()
			answer, err := ask(t.Context(), hook, tc.object)
			if err != nil {
				t.Fatal(err)
			}
			if answer.UID != "u" || answer.Allowed != tc.allowed || string(answer.Patch) != tc.patch {
				t.Errorf("%s: got %s %t %s", tc.reason, answer.UID, answer.Allowed, answer.Patch)
			}
		})
	}
	hook := newWebhook(hangs)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if answer, err := ask(ctx, hook, "{}"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a webhook that hangs answered %v, %v", answer, err)
	}
	hook.Close() // it returns although somebody hung
}

// ask sends a review, as an API server does.
func ask(ctx context.Context, hook *webhook, object string) (*admissionv1.AdmissionResponse, error) {
	body, err := json.Marshal(admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{UID: "u",
		Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: []byte(object)}}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := hook.Client().Do(req)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(response.Body).Decode(&review); err != nil {
		return nil, err
	}
	return review.Response, nil
}

// TestPin: the digest of one plugin changes, and the others stay.
func TestPin(t *testing.T) {
	got := string(pin([]byte("00  placement-a\n11  placement-b\n"), "placement-b", []byte("x")))
	want := "00  placement-a\n2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  placement-b\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
