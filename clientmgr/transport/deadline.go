package transport

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// withDeadline returns a write whose server knows how long somebody waits for the answer, as client-go
// tells it: by the query parameter timeout. A server that is not told waits for a webhook that hangs until
// the caller has gone, so that nobody ever reads its sentence about that webhook. The request is not
// changed.
func withDeadline(req *http.Request) *http.Request {
	deadline, bounded := req.Context().Deadline()
	if !bounded || !writes(req) || req.URL.Query().Has("timeout") {
		return req
	}
	left := time.Until(deadline)
	patience := (left - left/8).Truncate(time.Millisecond) // the rest is for the answer's way
	if patience <= 0 {
		return req
	}
	told := req.WithContext(req.Context())
	address := *req.URL
	told.URL = &address
	if address.RawQuery != "" {
		address.RawQuery += "&"
	}
	address.RawQuery += url.Values{"timeout": {patience.String()}}.Encode()
	return told
}

// writes reports whether a request asks an API server to change something. What goes through a proxy
// subresource is for another server, which may have a parameter timeout of its own.
func writes(req *http.Request) bool {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !slices.Contains(strings.Split(req.URL.Path, "/"), "proxy")
	default:
		return false
	}
}
