package journeys

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// writes are the operator's in all clusters about some namespaces, since a time, in their order.
// Events are left out.
func writes(t *testing.T, since time.Time, logs []string, namespaces ...string) []audit.Call {
	t.Helper()
	calls, err := audit.ReadAll(logs, audit.Filter{User: fleet.OperatorUser, Since: since, Writes: true,
		But: []string{"events", "leases", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}})
	if err != nil {
		t.Fatal(err)
	}
	calls = slices.DeleteFunc(calls, func(c audit.Call) bool {
		return !slices.Contains(namespaces, c.Namespace) || bytes.Contains([]byte(c.URI), []byte("dryRun"))
	})
	slices.SortStableFunc(calls, func(a, b audit.Call) int { return a.Received.Compare(b.Received) })
	return calls
}

// mostSupervisorWrites is how often the operator may write to the supervisor for one move. The
// MachineMove itself is one more.
const mostSupervisorWrites = 12

// ownWrites are the writes to the supervisor for Machines of some namespaces, each with the
// tombstone that its move writes. What is written once a cluster is left out.
func ownWrites(t *testing.T, since time.Time, namespaces ...string) []audit.Call {
	t.Helper()
	calls := writes(t, since, supervisorLog(), append(namespaces, fleet.ConfigsNamespace)...)
	return slices.DeleteFunc(calls, func(c audit.Call) bool {
		return c.Namespace == fleet.ConfigsNamespace && (c.Resource != "configmaps" || c.Verb != "patch" || c.Code == 404)
	})
}

func supervisorLog() []string { return []string{world.fleet.Supervisor.ControlPlane.AuditLog()} }

func allLogs() []string {
	logs := supervisorLog()
	for _, cluster := range world.fleet.Remotes {
		logs = append(logs, cluster.ControlPlane.AuditLog())
	}
	return logs
}

// tail follows the audit logs of all clusters, and tells how many writes the operator made in a
// namespace since it began to look.
type tail struct {
	files     []*os.File
	rest      []bytes.Buffer
	namespace []byte
	count     int
}

func newTail(t *testing.T, namespace string) *tail {
	t.Helper()
	l := &tail{namespace: []byte(`"namespace":"` + namespace + `"`), rest: make([]bytes.Buffer, len(allLogs()))}
	for _, path := range allLogs() {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		if _, err := file.Seek(0, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		l.files = append(l.files, file)
	}
	return l
}

// until waits for the n-th write. It reports whether that came in time.
func (l *tail) until(n int, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for i, file := range l.files {
			if _, err := l.rest[i].ReadFrom(file); err != nil {
				return false
			}
			l.take(&l.rest[i])
		}
		if l.count >= n {
			return true
		}
	}
	return false
}

// take counts the whole lines.
func (l *tail) take(buffer *bytes.Buffer) {
	for {
		line, err := buffer.ReadBytes('\n')
		if err != nil {
			rest := slices.Clone(line)
			buffer.Reset()
			buffer.Write(rest)
			return
		}
		isWrite := bytes.Contains(line, []byte(`"verb":"patch"`)) || bytes.Contains(line, []byte(`"verb":"create"`)) ||
			bytes.Contains(line, []byte(`"verb":"delete"`))
		if isWrite && bytes.Contains(line, []byte(fleet.OperatorUser)) && bytes.Contains(line, l.namespace) &&
			!bytes.Contains(line, []byte("dryRun")) && !bytes.Contains(line, []byte(`"resource":"events"`)) &&
			bytes.Contains(line, []byte(`"stage":"ResponseComplete"`)) {
			l.count++
		}
	}
}
