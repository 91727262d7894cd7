package clusters

import "testing"

func TestMailboxInterruptsWhatIsInVain(t *testing.T) {
	base := Wish{UID: "1", Kubeconfig: []byte("a"), AcceptedUID: "x"}
	cases := map[string]struct {
		reason string
		next   func(*mailbox)
		want   bool
	}{
		"same": {"nothing changed", func(m *mailbox) { m.put(base) }, false},
		"status": {"our own writing must not disturb us", func(m *mailbox) {
			w := base
			w.RememberedUID = "r"
			m.put(w)
		}, false},
		"kubeconfig": {"a rotation must not wait for a call that hangs", func(m *mailbox) {
			w := base
			w.Kubeconfig = []byte("b")
			m.put(w)
		}, true},
		"Secret gone": {"what is under way uses a credential that is no more", func(m *mailbox) {
			m.put(Wish{UID: "1", Problem: "gone"})
		}, true},
		"consent":       {"a person waits", func(m *mailbox) { w := base; w.AcceptedUID = "y"; m.put(w) }, true},
		"other config":  {"made anew under the same name", func(m *mailbox) { w := base; w.UID = "2"; m.put(w) }, true},
		"invalidated":   {"asked for", func(m *mailbox) { m.rebuild() }, true},
		"early a probe": {"a failed call is no reason to stop", func(m *mailbox) { m.probe() }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMailbox()
			m.put(base)
			step, cancel, _ := m.take(t.Context())
			defer cancel()
			tc.next(m)
			if got := step.Err() != nil; got != tc.want {
				t.Errorf("%s: interrupted: want %t, got %t", tc.reason, tc.want, got)
			}
			select {
			case <-m.signal:
			default:
				t.Error("the cluster was not woken")
			}
		})
	}
}
