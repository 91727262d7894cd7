package guest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
)

// TestOncePerToken lets the operator end between any two of its writes and calls, and lets calls be
// late or lost: no token restarts a guest twice, and each one does so once everything answers.
func TestOncePerToken(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{vm: machineOf(rapid.SampledFrom([]kubevirtv1.VirtualMachineRunStrategy{always, manual, rerun}).
			Draw(r, "strategy")), now: now, restarts: map[string]int{}}
		m.boot()
		r.Repeat(map[string]func(*rapid.T){
			"Token":   m.newToken,
			"Pass":    m.pass,
			"Later":   func(r *rapid.T) { m.later(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second) },
			"Cluster": func(*rapid.T) { m.cluster() },
			"Arrive":  func(*rapid.T) { m.arrive(0) },
			"":        m.check,
		})
		m.calm(r)
	})
}

// model is a Machine, KubeVirt, and calls that are on their way.
type model struct {
	vm       *kubevirtv1.VirtualMachine
	vmi      *kubevirtv1.VirtualMachineInstance
	restart  guest.Restart
	now      time.Time
	made     int
	tokens   int
	calls    []sent
	restarts map[string]int // how often an instance was stopped for a token
	asked    []string       // tokens that the operator asked KubeVirt for, or was about to
}

type sent struct {
	token string
	at    time.Time
}

func (m *model) boot() {
	m.made++
	m.vmi = instanceOf(types.UID(fmt.Sprintf("instance-%d", m.made)), kubevirtv1.Running)
}

func (m *model) newToken(*rapid.T) {
	m.tokens++
	m.restart.Token = fmt.Sprintf("token-%d", m.tokens)
}

// pass is one reconcile of a process that may end after the record, and whose call may be lost or
// late.
func (m *model) pass(r *rapid.T) {
	m.reconcile(rapid.SampledFrom([]string{"answered", "late", "lost", "ended"}).Draw(r, "call"))
}

func (m *model) reconcile(fate string) {
	if !m.restart.Due() {
		return
	}
	step := m.restart.Decide(guest.Seen{VM: m.vm, VMI: m.vmi}, m.now)
	if step.Do == guest.StepRest {
		return
	}
	m.restart.Record, m.restart.Recorded = step.Record, true
	if step.Do != guest.StepAsk {
		return
	}
	if !slices.Contains(m.asked, step.Record.Token) {
		m.asked = append(m.asked, step.Record.Token)
	}
	if fate == "lost" || fate == "ended" {
		return
	}
	m.calls = append(m.calls, sent{step.Record.Token, m.now})
	if fate == "answered" {
		m.arrive(len(m.calls) - 1)
	}
}

// arrive lets KubeVirt take one of the calls: it stops whatever instance it finds, and starts another.
func (m *model) arrive(i int) {
	if i < 0 || i >= len(m.calls) {
		return
	}
	call := m.calls[i]
	m.calls = slices.Delete(m.calls, i, i+1)
	if m.vmi == nil || len(m.vm.Status.StateChangeRequests) > 0 {
		return // a conflict
	}
	m.vm.Status.StateChangeRequests = append(m.vm.Status.StateChangeRequests, stop(m.vmi.UID), start)
	m.restarts[call.token]++
}

// cluster takes KubeVirt one step on.
func (m *model) cluster() {
	requests := &m.vm.Status.StateChangeRequests
	switch {
	case m.vmi != nil && m.vmi.DeletionTimestamp != nil:
		m.vmi = nil
	case len(*requests) > 0 && (*requests)[0].Action == kubevirtv1.StopRequest:
		ending(m.vmi)
		*requests = (*requests)[1:]
	case m.vmi == nil:
		*requests = nil
		m.boot()
		m.vmi.Status.Phase = kubevirtv1.Scheduled
	default:
		m.vmi.Status.Phase = kubevirtv1.Running
	}
}

// later lets time go by. No call lives as long as the operator waits for one.
func (m *model) later(d time.Duration) {
	m.now = m.now.Add(d)
	m.calls = slices.DeleteFunc(m.calls, func(c sent) bool { return m.now.Sub(c.at) >= guest.AskAgain })
}

func (m *model) check(r *rapid.T) {
	for token, n := range m.restarts {
		if n > 1 {
			r.Fatalf("%s restarted the guest %d times", token, n)
		}
	}
}

// calm lets everything answer until nothing is left to do.
func (m *model) calm(r *rapid.T) {
	for range 40 {
		m.reconcile("answered")
		m.cluster()
		m.later(10 * time.Second)
		m.check(r)
	}
	if m.restart.Due() {
		r.Fatalf("the restart never ends: %+v", m.restart)
	}
	for _, token := range m.asked {
		if m.restarts[token] != 1 {
			r.Fatalf("%s restarted the guest %d times", token, m.restarts[token])
		}
	}
}
