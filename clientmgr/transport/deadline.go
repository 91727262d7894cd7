package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// send sends a request once. A write whose context has a deadline tells the server how long
// somebody waits for the answer, as client-go does: by the query parameter timeout. A server that
// is not told waits for a webhook that hangs until the caller has gone, and nobody ever reads its
// sentence about that webhook.
func send(endpoint *Endpoint, req *http.Request) (*http.Response, error) {
	patience := patienceOf(req)
	if patience <= 0 {
		return endpoint.RoundTrip(req)
	}
	began := time.Now()
	resp, err := endpoint.RoundTrip(withTimeout(req, patience))
	if time.Since(began) < patience {
		return resp, err
	}
	return lateAnswer(req, resp, err, patience)
}

// patienceOf returns what a server may take for a request: an eighth of the time is for the
// answer's way. 0 means that the server is told nothing.
func patienceOf(req *http.Request) time.Duration {
	deadline, bounded := req.Context().Deadline()
	if !bounded || !writes(req) || req.URL.Query().Has("timeout") {
		return 0
	}
	left := time.Until(deadline)
	return (left - left/8).Truncate(time.Millisecond)
}

// withTimeout returns a copy of a request that tells the server a timeout.
func withTimeout(req *http.Request, timeout time.Duration) *http.Request {
	told := req.WithContext(req.Context())
	address := *req.URL
	told.URL = &address
	if address.RawQuery != "" {
		address.RawQuery += "&"
	}
	address.RawQuery += url.Values{"timeout": {timeout.String()}}.Encode()
	return told
}

// writes reports whether a request asks an API server to change something. What goes through a
// proxy subresource is for another server, which may have a parameter timeout of its own.
func writes(req *http.Request) bool {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !slices.Contains(strings.Split(req.URL.Path, "/"), "proxy")
	default:
		return false
	}
}

// lateAnswer makes a whole answer of what an API server sends once the time is over that it was
// told. Its handler and its filter of late requests both answer then, and the filter aborts the
// stream where the handler has begun to: such a server is there, and has given up on the request.
func lateAnswer(req *http.Request, resp *http.Response, err error, patience time.Duration) (*http.Response, error) {
	switch {
	case err != nil && aborted(err):
		return gaveUp(req, patience), nil
	case err != nil || resp.StatusCode != http.StatusGatewayTimeout:
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	if err != nil && aborted(err) {
		return gaveUp(req, patience), nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// aborted reports whether a server has aborted one HTTP/2 stream by itself: the connection lives
// on.
func aborted(err error) bool {
	var reset http2.StreamError
	return errors.As(err, &reset) && reset.Code == http2.ErrCodeInternal
}

// gaveUp is the answer that a server would have given to a request that took too long.
func gaveUp(req *http.Request, patience time.Duration) *http.Response {
	body, _ := json.Marshal(metav1.Status{ // a Status can be marshalled
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure,
		Message:  fmt.Sprintf("request did not complete within %s, the time that the server was given", patience),
		Reason:   metav1.StatusReasonTimeout,
		Code:     http.StatusGatewayTimeout,
	})
	return &http.Response{
		Status:     "504 " + http.StatusText(http.StatusGatewayTimeout),
		StatusCode: http.StatusGatewayTimeout,
		Proto:      "HTTP/2.0", ProtoMajor: 2,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
	}
}
