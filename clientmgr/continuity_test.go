package clientmgr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// server answers lists as said, watches with nothing, and remembers what it was asked.
type server struct {
	status int
	body   string
	err    error
	asked  []string
}

func (s *server) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	if query.Get("limit") != "1" {
		s.asked = append(s.asked, "watch or list")
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}
	s.asked = append(s.asked, "revision of "+strings.Split(request.Header.Get("Accept"), ";")[1])
	if s.err != nil {
		return nil, s.err
	}
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func listAt(revision string) string {
	return fmt.Sprintf(`{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":%q},"items":[{"metadata":{"name":"a"}}]}`, revision)
}

func TestContinuity(t *testing.T) {
	refused := errors.New("connection refused")
	const asks, resumes = "revision of as=PartialObjectMetadataList", "watch or list"
	for name, tc := range map[string]struct {
		reason string
		query  string
		server server
		asked  string
		status int // of what the watch gets, 0 for an error
		ended  bool
	}{
		"SameRevision": {"nothing was written since", "watch=1&resourceVersion=70", server{status: 200, body: listAt("70")},
			asks + resumes, 200, false},
		"LaterRevision": {"the usual case", "watch=1&resourceVersion=70", server{status: 200, body: listAt("1000")}, asks +
			resumes, 200, false},
		"Restored": {
			"the server would say nothing until it is at 70 again: the operator showed Machines that were no more, and left alone those that were back",
			"watch=true&resourceVersion=70&allowWatchBookmarks=true", server{status: 200, body: listAt("9")}, asks, 0, true,
		},
		"FirstWatch":  {"it begins with what there is", "watch=1&sendInitialEvents=true", server{}, resumes, 200, false},
		"AnyRevision": {"the same", "watch=1&resourceVersion=0", server{}, resumes, 200, false},
		"List":        {"a list says itself where it is", "resourceVersion=70", server{}, resumes, 200, false},
		"Forbidden": {"a server that just started forbids everything: no verdict, and no watch either",
			"watch=1&resourceVersion=70", server{status: 403}, asks, 403, false},
		"Silent": {"silence is no verdict", "watch=1&resourceVersion=70", server{err: refused}, asks, 0, false},
		"Garbage": {"nor is what nobody can read", "watch=1&resourceVersion=70", server{status: 200, body: "<html>"},
			asks, 0, false},
		"NoNumber": {"revisions that cannot be compared are none of the past", "watch=1&resourceVersion=70",
			server{status: 200, body: listAt("x")}, asks + resumes, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			continuity := clientmgr.NewContinuity()
			through := continuity.Wrap(&tc.server)
			status, err := ask(t, through, tc.query)
			if status != tc.status || (err != nil) != (tc.status == 0) {
				t.Errorf("%s: the watch gets %d, %v", tc.reason, status, err)
			}
			if got := strings.Join(tc.server.asked, ""); got != tc.asked {
				t.Errorf("%s: the server was asked %q, not %q", tc.reason, got, tc.asked)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if !tc.ended {
				cancel()
			}
			defer cancel()
			if err := continuity.Start(ctx); errors.Is(err, clientmgr.ErrSupervisorRestored) != tc.ended {
				t.Errorf("%s: the manager gets %v", tc.reason, err)
			}
			if _, err := ask(t, through, "limit=500"); errors.Is(err, clientmgr.ErrSupervisorRestored) != tc.ended {
				t.Errorf("%s: the next list gets %v", tc.reason, err)
			}
		})
	}
}

func ask(t *testing.T, through http.RoundTripper, query string) (status int, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://supervisor/apis/vitistack.io/v1alpha1/machines?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := through.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// The manager of the supervisor ends when its data went back in time; whoever started the process
// starts it again.
func ExampleContinuity() {
	continuity := clientmgr.NewContinuity()
	config := &rest.Config{Host: "https://supervisor"} // of the cache alone: manager.Options.NewCache
	config.Wrap(continuity.Wrap)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(continuity.Start(ctx)) // manager.Add(continuity)
	// Output: <nil>
}
