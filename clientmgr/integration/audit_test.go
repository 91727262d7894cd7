package integration

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"strings"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// traffic counts what a server was asked about one fixture's ConfigMaps.
type traffic struct {
	relists int // a list, or a watch that begins with one
	watches int // a watch that goes on
}

// audited reads a cluster's audit log. Collections are told apart by the fixture's label selector.
func (f *fixture) audited(remote *plane) traffic {
	f.t.Helper()
	file, err := os.Open(remote.AuditLog())
	f.must(err)
	defer func() { _ = file.Close() }()
	var seen traffic
	counted := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		if json.Unmarshal(lines.Bytes(), &event) != nil || counted[string(event.AuditID)] {
			continue // the last line may be half written; a watch has a line for its begin and its end
		}
		uri, err := url.Parse(event.RequestURI)
		if err != nil || !strings.HasSuffix(uri.Path, "/configmaps") || uri.Query().Get("labelSelector") != "test="+f.label {
			continue
		}
		counted[string(event.AuditID)] = true
		switch {
		case event.Verb == "list", uri.Query().Get("sendInitialEvents") == "true":
			seen.relists++
		case event.Verb == "watch":
			seen.watches++
		}
	}
	f.must(lines.Err())
	return seen
}
