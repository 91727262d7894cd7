package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
)

const operator = "system:serviceaccount:kubevirt-operator:kubevirt-operator"

// begin is when the first call of the log was received.
var begin = time.Date(2026, time.November, 29, 15, 0, 0, 0, time.UTC)

// log has, in this order: two patches of a Machine's status, a creation that is refused, a watch
// with its begin and its end, an Event, a call of somebody else, and a line that is still being
// written.
const log = `{"auditID":"1","stage":"ResponseComplete","verb":"patch","user":{"username":"OP"},"objectRef":{"apiGroup":"vitistack.io","resource":"machines","subresource":"status","namespace":"shop","name":"web"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T15:00:00Z","stageTimestamp":"2026-11-29T15:00:00.1Z"}
{"auditID":"2","stage":"ResponseComplete","verb":"patch","user":{"username":"OP"},"objectRef":{"apiGroup":"vitistack.io","resource":"machines","subresource":"status","namespace":"shop","name":"web"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T15:00:30Z","stageTimestamp":"2026-11-29T15:00:30.1Z"}
{"auditID":"3","stage":"ResponseComplete","verb":"create","user":{"username":"OP"},"objectRef":{"apiGroup":"kubevirt.io","resource":"virtualmachines","namespace":"shop","name":"vm-web"},"responseStatus":{"code":403},"requestReceivedTimestamp":"2026-11-29T15:00:31Z","annotations":{"authorization.k8s.io/decision":"forbid"}}
{"auditID":"4","stage":"ResponseStarted","verb":"watch","user":{"username":"OP"},"objectRef":{"apiGroup":"vitistack.io","resource":"machines"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T15:00:32Z"}
{"auditID":"4","stage":"ResponseComplete","verb":"watch","user":{"username":"OP"},"objectRef":{"apiGroup":"vitistack.io","resource":"machines"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T15:00:32Z"}
{"auditID":"5","stage":"ResponseComplete","verb":"create","user":{"username":"OP"},"objectRef":{"resource":"events","namespace":"shop"},"responseStatus":{"code":201},"requestReceivedTimestamp":"2026-11-29T15:01:00Z"}
{"auditID":"6","stage":"ResponseComplete","verb":"get","user":{"username":"admin"},"objectRef":{"resource":"namespaces","name":"shop"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T15:01:30Z"}
{"auditID":"7","stage":"ResponseComp`

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(content, `"OP"`, `"`+operator+`"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		filter audit.Filter
		want   []string
	}{
		"everything": {
			reason: "a watch is one call, and a line that is still being written is none",
			want: []string{
				"patch machines.vitistack.io/status shop/web 200",
				"patch machines.vitistack.io/status shop/web 200",
				"create virtualmachines.kubevirt.io shop/vm-web 403",
				"watch machines.vitistack.io * 200",
				"create events shop/* 201",
				"get namespaces shop 200",
			},
		},
		"one user's writes": {
			reason: "reads and other people's calls are left out, and so are the resources that are named",
			filter: audit.Filter{User: operator, Writes: true, But: []string{"events"}},
			want: []string{
				"patch machines.vitistack.io/status shop/web 200",
				"patch machines.vitistack.io/status shop/web 200",
				"create virtualmachines.kubevirt.io shop/vm-web 403",
			},
		},
		"a window of time": {
			reason: "a call at the begin of the window is in it, and a call at its end is not",
			filter: audit.Filter{Since: begin.Add(30 * time.Second), Until: begin.Add(32 * time.Second)},
			want: []string{
				"patch machines.vitistack.io/status shop/web 200",
				"create virtualmachines.kubevirt.io shop/vm-web 403",
			},
		},
		"one object": {
			reason: "verb, resource, namespace and name must all fit",
			filter: audit.Filter{Verb: "create", Resource: "virtualmachines", Namespace: "shop", Name: "vm-web"},
			want:   []string{"create virtualmachines.kubevirt.io shop/vm-web 403"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls, err := audit.Read(write(t, log), tc.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, call := range calls {
				got = append(got, call.String())
				if call.Forbidden() != (call.Code == 403) {
					t.Errorf("Forbidden() of %s = %t", call, call.Forbidden())
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTail reads a log that grows: a line that is not complete is read once it is, and a watch counts
// once although its end comes later.
func TestTail(t *testing.T) {
	path := write(t, "")
	tail := audit.NewTail(path)
	all, err := audit.Read(write(t, log), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []audit.Call
	content := strings.ReplaceAll(log, `"OP"`, `"`+operator+`"`)
	for at := 0; at <= len(content); at += 100 {
		if err := os.WriteFile(path, []byte(content[:at]), 0o600); err != nil {
			t.Fatal(err)
		}
		calls, err := tail.Next(audit.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, calls...)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("a tail reads what Read does (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tail.Next(audit.Filter{}); err == nil {
		t.Error("a line that is none was read")
	}
}

// TestReadRefuses holds that a log which is none is not taken for a quiet one: 0 calls would be
// read out of it.
func TestReadRefuses(t *testing.T) {
	if _, err := audit.Read(write(t, "a line\n"), audit.Filter{}); err == nil {
		t.Error("a file that is no audit log was read")
	}
	if _, err := audit.Read(filepath.Join(t.TempDir(), "absent.log"), audit.Filter{}); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestTally(t *testing.T) {
	calls, err := audit.ReadAll([]string{write(t, log), write(t, log)}, audit.Filter{User: operator, Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	want := audit.Counts{
		{Key: operator + " patch machines.vitistack.io/status shop/web", Calls: 4},
		{Key: operator + " create events shop/*", Calls: 2},
		{Key: operator + " create virtualmachines.kubevirt.io shop/vm-web", Calls: 2},
	}
	got := audit.Tally(calls)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the logs of both clusters are counted together (-want +got):\n%s", diff)
	}
	if got.Most() != want[0] || got.Of(want[1].Key) != 2 || got.Of("absent") != 0 ||
		(audit.Counts{}).Most() != (audit.Count{}) {
		t.Errorf("Most() = %v, Of() = %d", got.Most(), got.Of(want[1].Key))
	}
}
