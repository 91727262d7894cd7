// Package audit counts what was asked of API servers, by their own audit logs.
//
//	since := time.Now()
//	… a remote cluster refuses a Machine for a minute …
//	calls, err := audit.Read(f.Supervisor.ControlPlane.AuditLog(), audit.Filter{
//		User: fleet.OperatorUser, Since: since, Namespace: "shop", Name: "web", Writes: true,
//	})
//	if len(calls) > 8 {
//		t.Errorf("%d attempts:\n%s", len(calls), audit.Tally(calls))
//	}
//
// A client counts what it wanted to ask; an audit log counts what was asked, retries and other
// clients of the same program included. The API server writes a line when it answers, so a call
// that is still under way is not counted, and a test waits for its last call before it counts.
// A watch is counted once, when it begins.
package audit
