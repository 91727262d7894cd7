package machine_test

import (
	"flag"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

var long = flag.Duration("long", 5*time.Minute, "how long TestLongModel looks for trouble")

// TestModel lets everything go wrong in random order: a Machine never has two VirtualMachines, and
// nobody else's is ever touched.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) { runModel(t, r) })
}

// TestLongModel is TestModel for as long as the flag says.
func TestLongModel(t *testing.T) {
	for end := time.Now().Add(*long); time.Now().Before(end); {
		rapid.Check(t, func(r *rapid.T) { runModel(t, r) })
	}
}

func runModel(t *testing.T, r *rapid.T) {
	m := &model{world: newWorld(t, []string{east, west}, newMachine(in(east))), foreign: map[string]string{},
		fresh: &once{fresh: true}}
	m.mutate()
	r.Repeat(map[string]func(*rapid.T){
		"Reconcile":     m.pass,
		"Settle":        m.calm, // much happens only to a Machine that has come to rest
		"Misplace":      m.misplace,
		"Rename":        m.rename,
		"ChangeDefault": m.changeDefault,
		"Crash":         m.crash,
		"StaleRead":     m.readStale,
		"DownOrUp":      m.toggle,
		"RemoveOrAdd":   m.toggleConfig,
		"EditReference": m.editReference,
		"LoseLedger":    m.loseLedger,
		"LoseStatus":    m.forgetStatus,
		"ForeignVM":     m.putForeign,
		"DeleteVM":      m.deleteVM,
		"Recreate":      m.consent,
		"DeleteMachine": m.end,
		"ComeBack":      m.restore,
		"":              m.check,
	})
}

// model is the world and what the test knows better than the operator.
type model struct {
	*world
	history []*vitistackv1alpha1.Machine
	foreign map[string]string // resourceVersions of others' VirtualMachines, by cluster/name
	down    [2]bool           // clusters that give no answer
	missing [2]bool           // clusters without KubevirtConfig
	renamed [2]bool           // clusters whose KubevirtConfig has another name
	config  string            // DEFAULT_KUBEVIRT_CONFIG
	fresh   *once
	mutant  []machine.Option // what is broken in the operator on purpose
	former  types.UID        // of the Machine from before the last restore
}

// once is a Freshness of a process that saw the Machine being created.
type once struct{ fresh bool }

func (o *once) Fresh(*vitistackv1alpha1.Machine) bool { return o.fresh }
func (o *once) Placed(*vitistackv1alpha1.Machine)     { o.fresh = false }

// Recorded leaves the record to what confirms it.
func (o *once) Recorded(*vitistackv1alpha1.Machine) bool { return false }

// clusters are the names of the model's clusters, and of their KubevirtConfigs before those are
// renamed.
var clusters = [2]string{east, west}

// name is what the cluster's KubevirtConfig is called now.
func (m *model) name(i int) string {
	if m.renamed[i] {
		return clusters[i] + "-renamed"
	}
	return clusters[i]
}

// options are those of a reconciler as it starts now.
func (m *model) options() []machine.Option {
	return slices.Concat([]machine.Option{chain(), withDefault(m.config), machine.WithFreshness(m.fresh)}, m.mutant)
}

func (m *model) pass(*rapid.T) {
	if now := m.machine(); now != nil {
		m.history = append(m.history, now)
	}
	_, _ = m.reconcile(m.options()...) // errors are part of the game
}

func (m *model) calm(r *rapid.T) {
	for range 4 {
		m.pass(r)
	}
}

// misplace is the story behind most second VirtualMachines: one is there, what tells of it is lost,
// and the Machine is told to go elsewhere.
func (m *model) misplace(r *rapid.T) {
	m.calm(r)
	if m.machine() == nil || m.missing[0] || m.missing[1] {
		r.Skip("the operator would forget the VirtualMachine")
	}
	m.loseStatus()
	m.editMachine(func(now *vitistackv1alpha1.Machine) { delete(now.Annotations, vitistackv1alpha1.AnnotationPlacement) })
	m.editReference(r)
	m.calm(r)
}

// rename gives the KubevirtConfig of a cluster another name, or its first one again.
func (m *model) rename(r *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(r, "cluster")
	m.renamed[i] = !m.renamed[i]
	m.connect(i)
}

func (m *model) changeDefault(r *rapid.T) {
	m.config = rapid.SampledFrom([]string{"", m.name(0), m.name(1)}).Draw(r, "default")
}

func (m *model) crash(r *rapid.T) {
	fault := nth(rapid.IntRange(0, 6).Draw(r, "write"))
	if rapid.Bool().Draw(r, "done") {
		m.after = fault
	} else {
		m.before = fault
	}
	m.pass(r)
	m.before, m.after = nil, nil
	m.fresh.fresh = false
}

func (m *model) readStale(r *rapid.T) {
	if len(m.history) == 0 {
		r.Skip("there is nothing older")
	}
	m.stale = rapid.SampledFrom(m.history).Draw(r, "version")
	_, _ = m.reconcile(m.options()...)
	m.stale = nil
}

func (m *model) toggle(r *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(r, "cluster")
	m.down[i] = !m.down[i]
	m.connect(i)
}

// toggleConfig: where nothing is left that tells of the VirtualMachine, its KubevirtConfig is not
// removed: its finalizer is for that.
func (m *model) toggleConfig(r *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(r, "cluster")
	if !m.missing[i] && (m.unremembered(true) || m.unremembered(false)) {
		r.Skip("the operator would forget the VirtualMachine")
	}
	m.missing[i] = !m.missing[i]
	m.connect(i)
}

func (m *model) connect(i int) {
	for _, config := range []string{clusters[i], clusters[i] + "-renamed"} {
		delete(m.manager.MockedClients, config)
		delete(m.manager.MockedConfigs, config)
		delete(m.manager.MockedStates, config)
	}
	switch {
	case m.missing[i]:
	case m.down[i]:
		m.silenceAs(m.name(i), clusters[i])
	default:
		m.wakeAs(m.name(i), clusters[i])
	}
}

// unremembered says whether without the ledger, or without the status, nothing is left that tells
// where the Machine is.
func (m *model) unremembered(withoutLedger bool) bool {
	now := m.machine()
	if now == nil || len(m.vms()) == len(m.foreign) {
		return false
	}
	if withoutLedger {
		return now.Status.KubevirtConfigRef == nil
	}
	return now.Annotations[vitistackv1alpha1.AnnotationPlacement] == ""
}

func (m *model) lose(r *rapid.T, ledger bool, change func()) {
	if (m.missing[0] || m.missing[1]) && m.unremembered(ledger) || m.machine() == nil {
		r.Skip("the operator would forget the VirtualMachine")
	}
	change()
}

func (m *model) loseLedger(r *rapid.T) {
	m.lose(r, true, func() {
		m.editMachine(func(now *vitistackv1alpha1.Machine) { delete(now.Annotations, vitistackv1alpha1.AnnotationPlacement) })
	})
}

func (m *model) forgetStatus(r *rapid.T) { m.lose(r, false, m.loseStatus) }

func (m *model) editReference(r *rapid.T) {
	reference := rapid.SampledFrom([]string{"", m.name(0), m.name(1), "nowhere"}).Draw(r, "reference")
	if m.machine() != nil {
		m.editMachine(in(reference))
	}
}

func (m *model) consent(r *rapid.T) {
	if m.machine() == nil || m.machine().Annotations[vitistackv1alpha1.AnnotationPlacement] == "" {
		r.Skip("nothing to consent to")
	}
	m.editMachine(annotated(vitistackv1alpha1.AnnotationRecreate, m.ledger().VMUID))
}

func (m *model) putForeign(r *rapid.T) {
	config := rapid.SampledFrom(clusters[:]).Draw(r, "cluster")
	if _, taken := m.vms()[config+"/"+vmName]; taken {
		r.Skip("the name is taken")
	}
	mark := rapid.SampledFrom([]func(*kubevirtv1.VirtualMachine){foreign, controlled, legacy}).Draw(r, "whose")
	vm := foundVM(mark)
	vm.UID = uuid.NewUUID()
	m.put(config, vm)
	m.foreign[config+"/"+vmName] = vm.ResourceVersion
}

func (m *model) deleteVM(r *rapid.T) {
	for name, vm := range m.vms() {
		if _, others := m.foreign[name]; !others {
			m.remove(name[:len(name)-len(vmName)-1], &vm)
			return
		}
	}
	r.Skip("there is none")
}

// end deletes the Machine; once it is gone there is a new one of the same name.
func (m *model) end(*rapid.T) {
	now := m.machine()
	switch {
	case now == nil:
		m.put(supervisor, newMachine(in(east), func(next *vitistackv1alpha1.Machine) { next.UID = uuid.NewUUID() }))
		m.fresh.fresh, m.former = true, ""
	case now.DeletionTimestamp.IsZero():
		m.deleteMachine()
	}
}

// restore puts the Machine back from a backup of objects: under a new UID, without a status, and
// with its ledger or, told where to go, without. Then somebody consents to whatever VirtualMachine
// of its name there is.
func (m *model) restore(r *rapid.T) {
	now := m.machine()
	if now == nil || !now.DeletionTimestamp.IsZero() ||
		!controllerutil.ContainsFinalizer(now, vitistackv1alpha1.FinalizerMachine) {
		r.Skip("there is nothing to restore")
	}
	var change []func(*vitistackv1alpha1.Machine)
	if rapid.Bool().Draw(r, "without the ledger") && !m.missing[0] && !m.missing[1] {
		change = append(change, losesLedger, in(m.name(rapid.IntRange(0, 1).Draw(r, "reference"))))
	}
	if count := m.count(); count[now.UID] > 0 || count[m.former] == 0 {
		m.former = now.UID
	}
	m.comeBack(uuid.NewUUID(), change...)
	m.calm(r)
	i := rapid.IntRange(0, 1).Draw(r, "consent to the virtual machine in")
	if vm, found := m.vms()[clusters[i]+"/"+vmName]; found {
		m.editMachine(annotated(vitistackv1alpha1.AnnotationAdopt, m.name(i)+"/"+string(vm.UID)))
		if vm.Labels[vitistackv1alpha1.LegacyLabelSourceMachine] != "" {
			// of an earlier release: it may be taken over now, and deleted with the Machine
			delete(m.foreign, clusters[i]+"/"+vmName)
		}
	}
}

// count are the VirtualMachines that are not others', by their Machines' UIDs.
func (m *model) count() map[types.UID]int {
	count := map[types.UID]int{}
	for name, vm := range m.vms() {
		uid := types.UID(vm.Labels[vitistackv1alpha1.LabelMachineUID])
		if _, others := m.foreign[name]; !others && uid != "" { // without a UID nobody has taken it over yet
			count[uid]++
		}
	}
	return count
}

func (m *model) check(r *rapid.T) {
	all, count := m.vms(), m.count()
	for name, vm := range all {
		if _, others := m.foreign[name]; !others && metav1.GetControllerOf(&vm) != nil {
			r.Errorf("%s is somebody else's and not counted", name)
		}
	}
	if now := m.machine(); now != nil && now.UID != m.former {
		count[now.UID] += count[m.former] // it is the same one, whatever it is called
	}
	for uid, n := range count {
		if n > 1 {
			r.Fatalf("Machine %s has %d VirtualMachines: %s", uid, n, m.where())
		}
	}
	for name, version := range m.foreign {
		if vm, found := all[name]; !found || vm.ResourceVersion != version || !vm.DeletionTimestamp.IsZero() {
			r.Fatalf("%s of somebody else was touched: found %t, %v", name, found, vm.ObjectMeta)
		}
	}
}
