package clientmgr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestSecretIndex(t *testing.T) {
	secret := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "configs", Name: name} }
	users := func(names ...string) map[string]struct{} {
		set := map[string]struct{}{}
		for _, name := range names {
			set[name] = struct{}{}
		}
		return set
	}
	type step struct {
		config string
		secret types.NamespacedName
	}
	cases := map[string]struct {
		reason string
		steps  []step
		want   secretIndex
	}{
		"one": {"a Secret wakes its config", []step{{"east", secret("s")}}, secretIndex{secret("s"): users("east")}},
		"shared": {"and every other that uses it", []step{{"east", secret("s")}, {"west", secret("s")}},
			secretIndex{secret("s"): users("east", "west")}},
		"moved": {"the former Secret does not wake it any more", []step{{"east", secret("s")}, {"east", secret("t")}},
			secretIndex{secret("t"): users("east")}},
		"gone": {"a config that is gone leaves nothing behind",
			[]step{{"east", secret("s")}, {"east", types.NamespacedName{}}}, secretIndex{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := secretIndex{}
			for _, s := range tc.steps {
				got.set(s.config, s.secret)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMailboxInterruptsWhatIsInVain(t *testing.T) {
	base := wish{configUID: "1", kubeconfig: []byte("a"), acceptedUID: "x"}
	cases := map[string]struct {
		reason string
		next   func(*mailbox)
		want   bool
	}{
		"same": {"nothing changed", func(m *mailbox) { m.put(base) }, false},
		"status": {"our own writing must not disturb us", func(m *mailbox) {
			w := base
			w.rememberedUID = "r"
			m.put(w)
		}, false},
		"kubeconfig": {"a rotation must not wait for a call that hangs", func(m *mailbox) {
			w := base
			w.kubeconfig = []byte("b")
			m.put(w)
		}, true},
		"Secret gone": {"what is under way uses a credential that is no more", func(m *mailbox) {
			m.put(wish{configUID: "1", problem: "gone"})
		}, true},
		"consent":       {"a person waits", func(m *mailbox) { w := base; w.acceptedUID = "y"; m.put(w) }, true},
		"other config":  {"made anew under the same name", func(m *mailbox) { w := base; w.configUID = "2"; m.put(w) }, true},
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
