package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

const (
	putRestart = east + ": put virtualmachines/restart"
	putPause   = east + ": put virtualmachineinstances/pause"
	putResume  = east + ": put virtualmachineinstances/unpause"
)

// guestWorld has the Machine web with a guest that runs in east, at a time that the test moves.
func guestWorld(t testing.TB, change ...func(*vitistackv1alpha1.Machine)) (*world, *ticking) {
	t.Helper()
	w := placed(t, change...)
	w.servesSubresources()
	clock := &ticking{time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)}
	w.options = append(w.options, machine.WithClock(clock))
	w.boots()
	w.mustSettle()
	w.forget()
	return w, clock
}

func (w *world) readyReason() string {
	w.t.Helper()
	c := w.machine().Status.Condition(vitistackv1alpha1.ConditionReady)
	return string(c.Status) + "/" + c.Reason
}

func (w *world) restartRecord() vitistackv1alpha1.RestartRecord {
	w.t.Helper()
	record, _, err := vitistackv1alpha1.RestartRecordOf(w.machine())
	if err != nil {
		w.t.Fatal(err)
	}
	return record
}

// TestRestart restarts a guest once, tells it meanwhile, and costs nothing afterwards.
func TestRestart(t *testing.T) {
	w, clock := guestWorld(t)
	first := w.vmi()
	token := "monday"
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, token))
	var puts []string
	w.before = func(c call) error {
		if c.verb == "put" {
			puts = append(puts, c.String())
			want := vitistackv1alpha1.RestartRecord{Token: token, Instance: string(first.UID), At: metav1.NewTime(clock.Time)}
			if diff := cmp.Diff(want, w.restartRecord()); diff != "" {
				t.Errorf("the record as KubeVirt is asked (-want +got):\n%s", diff)
			}
		}
		return nil
	}
	w.mustSettle()
	if diff := cmp.Diff([]string{putRestart}, puts); diff != "" || w.readyReason() != "False/Restarting" {
		t.Fatalf("%s; calls (-want +got):\n%s", w.readyReason(), diff)
	}
	clock.Time = clock.Add(time.Hour)
	if w.mustSettle(); len(puts) > 1 {
		t.Errorf("KubeVirt was asked again although it has the request: %v", puts)
	}
	w.restarts()
	w.mustSettle()
	if record := w.restartRecord(); !record.Done || w.vmi().UID == first.UID {
		t.Errorf("the restart is not over: %v", record)
	}
	clock.Time = clock.Add(time.Hour)
	w.forget()
	if _, err := w.reconcile(); err != nil || len(puts) != 1 || len(w.written()) > 0 {
		t.Errorf("a token that is done is not left alone: %v, %v, %v", err, puts, w.written())
	}
	first, token = w.vmi(), "tuesday"
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, token))
	if w.mustSettle(); len(puts) != 2 {
		t.Error("another token asks for nothing")
	}
}

// TestRestartCrash lets the process end at each of its writes, before and after it: the guest is
// restarted exactly once.
func TestRestartCrash(t *testing.T) {
	for n := range 6 {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("Write%dDone%t", n, done), func(t *testing.T) {
				w, clock := guestWorld(t)
				w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "monday"))
				restarted := 0
				for pass := range 30 {
					if pass == 0 && done {
						w.after = nth(n)
					} else if pass == 0 {
						w.before = nth(n)
					}
					_, _ = w.reconcile() // one that ended is followed by another
					w.before, w.after = nil, nil
					clock.Time = clock.Add(guest.AskAgain / 2)
					if pass%3 == 2 && w.restarts() {
						restarted++
					}
				}
				if record := w.restartRecord(); restarted != 1 || !record.Done {
					t.Errorf("restarted %d times; %v", restarted, record)
				}
			})
		}
	}
}

// TestNothingToRestart leaves a guest alone that does not run.
func TestNothingToRestart(t *testing.T) {
	w, _ := guestWorld(t)
	w.remove(east, w.vmi())
	w.editVM(func(vm *kubevirtv1.VirtualMachine) {
		vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyHalted)
		vm.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusStopped
	})
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "monday"))
	w.mustSettle()
	if record := w.restartRecord(); !record.Done || record.Instance != "" || len(w.puts()) > 0 {
		t.Errorf("%v, %v", record, w.puts())
	}
}

// TestBornWithToken does not restart a guest that was just made.
func TestBornWithToken(t *testing.T) {
	w, _ := guestWorld(t, annotated(vitistackv1alpha1.AnnotationRestart, "monday"))
	if record := w.restartRecord(); !record.Done || record.Token != "monday" || len(w.puts()) > 0 {
		t.Errorf("%v, %v", record, w.puts())
	}
}

// TestRestartHeld asks for nothing while the Machine is left alone, and does so afterwards.
func TestRestartHeld(t *testing.T) {
	w, _ := guestWorld(t)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "monday", vitistackv1alpha1.AnnotationPaused, "true"))
	asked := 0
	w.before = func(c call) error {
		if c.verb == "put" {
			asked++
		}
		return nil
	}
	if w.mustSettle(); asked > 0 {
		t.Fatal("a Machine that is to be left alone was restarted")
	}
	w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPaused) })
	if w.mustSettle(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

//nolint:staticcheck // KubeVirt's own words begin with a capital
var (
	noRight = apierrors.NewForbidden(schema.GroupResource{Group: guest.Group, Resource: "virtualmachines"}, vmName,
		fmt.Errorf(`User "operator" cannot update resource "virtualmachines/restart" in API group %q`, guest.Group))
	startedOnce = apierrors.NewConflict(kubevirtv1.Resource("virtualmachine"), vmName,
		fmt.Errorf("RunStategy Once does not support manual restart requests"))
	probed = apierrors.NewForbidden(kubevirtv1.Resource("virtualmachineinstance"), vmName,
		fmt.Errorf("Pausing VMIs with LivenessProbe is currently not supported"))
)

// TestTooManyRestarts: what the brake holds is not asked of KubeVirt, until a person lets it go, the
// wish is taken back, or a rollout says that it is its own.
func TestTooManyRestarts(t *testing.T) {
	const token = vitistackv1alpha1.RolloutTokenPrefix + "rollout-uid"
	for name, tc := range map[string]struct {
		token string
		then  func(*world)
		asked int
	}{
		"Held":       {token: "monday"},
		"Confirmed":  {token: "monday", then: confirmed, asked: 1},
		"TakenBack":  {token: "monday", then: func(w *world) { w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "")) }},
		"RolledOut":  {token: token, then: func(w *world) { w.rollsOut(w.machine().UID) }, asked: 1},
		"NotItsTurn": {token: token, then: func(w *world) { w.rollsOut("another") }},
		"Forged":     {token: token},
	} {
		t.Run(name, func(t *testing.T) {
			w, clock := guestWorld(t)
			settings := worldSettings()
			settings.Brake = brake.Rule{Percent: 30, Window: 5 * time.Minute} // more than none
			w.options = append(w.options, machine.WithSettings(settings))
			w.forget()
			asked := 0
			w.before = func(c call) error {
				if c.verb == "put" {
					asked++
				}
				return nil
			}
			w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, tc.token))
			w.mustSettle()
			if c := w.machine().Status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady); asked != 0 ||
				c.Reason != vitistackv1alpha1.ReasonChangeHeld || !strings.Contains(c.Message, "the restart is held") {
				t.Fatalf("asked %d times, %+v", asked, c)
			}
			if tc.then != nil {
				tc.then(w)
			}
			w.forget() // the next process holds it, too
			clock.Time = clock.Add(time.Hour)
			w.mustSettle()
			if asked != tc.asked {
				t.Errorf("KubeVirt was asked %d times, want %d", asked, tc.asked)
			}
		})
	}
}

func confirmed(w *world) {
	w.editMachine(annotated(vitistackv1alpha1.AnnotationConfirmChange, "true"))
}

// rollsOut makes a rollout that has begun one Machine.
func (w *world) rollsOut(uid types.UID) {
	w.t.Helper()
	w.put(supervisor, &vitistackv1alpha1.MachineRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "monday", UID: "rollout-uid"},
		Status: vitistackv1alpha1.MachineRolloutStatus{
			InFlight: []vitistackv1alpha1.RolloutInFlight{{Machine: namespace + "/web", UID: uid}}},
	})
}

// TestGuestRefused tells what is refused in the words of who refuses it, and asks seldom.
func TestGuestRefused(t *testing.T) {
	cases := map[string]struct {
		reason     string
		annotation string
		refusal    error
		ready      string
		says       []string
	}{
		"RightMissing": {
			reason: "the right that is missing is named, and how to give it", annotation: vitistackv1alpha1.AnnotationRestart,
			refusal: noRight, ready: "False/GuestRightMissing",
			says: []string{"update virtualmachines/restart in the API group subresources.kubevirt.io", "deploy/remote/guest"},
		},
		"RunStrategyOnce": {
			reason: "what KubeVirt cannot do is told in its words", annotation: vitistackv1alpha1.AnnotationRestart,
			refusal: startedOnce, ready: "False/RestartRefused", says: []string{"RunStategy Once does not support"},
		},
		"Probe": {
			reason:     "a refusal of KubeVirt's own is no missing right, although it has the same code",
			annotation: vitistackv1alpha1.AnnotationPauseGuest, refusal: probed, ready: "False/PauseRefused",
			says: []string{"Pausing VMIs with LivenessProbe"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w, clock := guestWorld(t)
			w.editMachine(annotated(tc.annotation, "true"))
			asked := 0
			w.before = func(c call) error {
				if c.verb != "put" {
					return nil
				}
				asked++
				return tc.refusal
			}
			r := w.reconciler()
			for range 1200 { // a second each
				_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}) // events come all the time
				clock.Time = clock.Add(time.Second)
			}
			if asked < 2 || asked > 9 { // after 0, 30, 60 and so on seconds, at last each 300
				t.Errorf("\n%s\nasked %d times in 20 minutes", tc.reason, asked)
			}
			message := w.machine().Status.Condition(vitistackv1alpha1.ConditionReady).Message
			for _, text := range tc.says {
				if !strings.Contains(message, text) || w.readyReason() != tc.ready {
					t.Errorf("\n%s\n%s: %q lacks %q", tc.reason, w.readyReason(), message, text)
				}
			}
			if machine := w.machine(); machine.Status.ObservedGeneration != machine.Generation {
				t.Errorf("\n%s\nthe Machine's spec counts as not applied", tc.reason)
			}
			w.before = nil
			clock.Time = clock.Add(10 * time.Minute)
			for range 3 {
				_, _ = r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
			}
			if len(w.puts()) <= asked-1 || w.readyReason() == tc.ready {
				t.Errorf("\n%s\nit does not go on by itself: %s", tc.reason, w.readyReason())
			}
		})
	}
}

// TestPauseGuest pauses each instance, and resumes what it paused alone.
func TestPauseGuest(t *testing.T) {
	w, clock := guestWorld(t)
	var puts []string
	w.before = func(c call) error {
		if c.verb == "put" {
			puts = append(puts, c.String())
		}
		return nil
	}
	w.editMachine(annotated(vitistackv1alpha1.AnnotationPauseGuest, "true"))
	w.mustSettle()
	w.restartsAnew()
	w.mustSettle()
	if diff := cmp.Diff([]string{putPause, putPause}, puts); diff != "" {
		t.Fatalf("the guest and the one after it (-want +got):\n%s", diff)
	}
	w.editVMI(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Conditions = nil })
	clock.Time = clock.Add(time.Hour)
	if w.mustSettle(); len(puts) != 2 {
		t.Errorf("a person who resumed the guest was overruled: %v", puts)
	}
	w.editVMI(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Conditions = isPaused() })
	w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPauseGuest) })
	w.mustSettle()
	if diff := cmp.Diff([]string{putPause, putPause, putResume}, puts); diff != "" {
		t.Errorf("the pause is over (-want +got):\n%s", diff)
	}
	if _, found, _ := vitistackv1alpha1.PauseRecordOf(w.machine()); found || len(w.vmi().Status.Conditions) > 0 {
		t.Errorf("found the record %t, the guest %v", found, w.vmi().Status.Conditions)
	}
}

// restartsAnew lets another instance run, as after a crash of the guest.
func (w *world) restartsAnew() {
	w.t.Helper()
	w.remove(east, w.vmi())
	w.boots()
}

// TestPausedByAPerson leaves a guest alone that somebody else paused.
func TestPausedByAPerson(t *testing.T) {
	w, _ := guestWorld(t)
	w.editVMI(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Conditions = isPaused() })
	w.editMachine(annotated(vitistackv1alpha1.AnnotationPauseGuest, "true"))
	w.mustSettle()
	w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPauseGuest) })
	w.mustSettle()
	if len(w.puts()) > 0 || len(w.vmi().Status.Conditions) == 0 {
		t.Errorf("calls %v, the guest %v", w.puts(), w.vmi().Status.Conditions)
	}
}

// TestPauseCrash lets the process end at each of its writes: the guest is paused, and resumed again.
func TestPauseCrash(t *testing.T) {
	for n := range 4 {
		t.Run(fmt.Sprintf("Write%d", n), func(t *testing.T) {
			w, clock := guestWorld(t)
			passes := func() {
				w.before = nth(n)
				for range 6 {
					_, _ = w.reconcile()
					w.before = nil
					clock.Time = clock.Add(guest.AskAgain)
				}
			}
			w.editMachine(annotated(vitistackv1alpha1.AnnotationPauseGuest, "true"))
			if passes(); len(w.vmi().Status.Conditions) == 0 {
				t.Error("the guest is not paused")
			}
			w.editMachine(annotated(vitistackv1alpha1.AnnotationPauseGuest, "false"))
			if passes(); len(w.vmi().Status.Conditions) > 0 {
				t.Error("the guest is not resumed")
			}
		})
	}
}

// TestGuestAtRest costs no call where every annotation is carried out.
func TestGuestAtRest(t *testing.T) {
	w, clock := guestWorld(t)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "monday", vitistackv1alpha1.AnnotationResize, "monday"))
	w.mustSettle()
	w.restarts()
	w.editMachine(annotated(vitistackv1alpha1.AnnotationPauseGuest, "true"))
	r := w.reconciler()
	for range 6 {
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Fatal(err)
		}
		clock.Time = clock.Add(time.Minute)
	}
	w.forget()
	result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
	if err != nil || result.RequeueAfter > 0 || len(w.puts()) > 0 || len(w.written()) > 0 {
		t.Errorf("%v, %v: %v, %v", err, result, w.puts(), w.written())
	}
	if looks := w.called(func(c call) bool { return c.cluster == east && c.kind == "VirtualMachine" }); len(looks) > 1 {
		t.Errorf("it was looked at: %v", looks) // one read is the cache's
	}
}

// TestGuestRecordInvalid asks for nothing where the record was changed by somebody.
func TestGuestRecordInvalid(t *testing.T) {
	for _, record := range []string{
		vitistackv1alpha1.AnnotationPlacementRestart, vitistackv1alpha1.AnnotationPlacementPause,
	} {
		w, _ := guestWorld(t)
		w.editMachine(annotated(vitistackv1alpha1.AnnotationRestart, "monday", record, `{"token":"hunter2"}`))
		_, _ = w.settle()
		w.restarts()
		_, _ = w.settle()
		message := w.machine().Status.Condition(vitistackv1alpha1.ConditionReady).Message
		if w.readyReason() != "False/GuestRecordInvalid" || !strings.Contains(message, record) ||
			strings.Contains(message, "hunter2") {
			t.Errorf("%s: %s", w.readyReason(), message)
		}
	}
}

// TestResize takes the sizes of an edited class once for each token, and nothing else of it.
func TestResize(t *testing.T) {
	w, _ := guestWorld(t, sized("large"))
	cores := func() uint32 { return w.vms()[east+"/"+vmName].Spec.Template.Spec.Domain.CPU.Cores }
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "large"}}
	class.Spec.CPU.Cores, class.Spec.Memory.Quantity = 6, resource.MustParse("12Gi")
	w.put(supervisor, class)
	steps := []struct {
		reason string
		does   func()
		want   uint32
	}{
		{reason: "a class that is edited changes nothing by itself", does: func() {}, want: 4},
		{
			reason: "a token takes the sizes of the class anew",
			does:   func() { w.editMachine(annotated(vitistackv1alpha1.AnnotationResize, "monday")) }, want: 6,
		},
		{
			reason: "what a person changes afterwards stays",
			does: func() {
				w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Spec.Template.Spec.Domain.CPU.Cores = 7 })
			},
			want: 7,
		},
		{
			reason: "the same token takes nothing anew",
			does: func() {
				edit(w, supervisor, types.NamespacedName{Name: "large"}, &vitistackv1alpha1.MachineClass{},
					func(c *vitistackv1alpha1.MachineClass) { c.Spec.CPU.Cores = 8 })
			},
			want: 7,
		},
		{
			reason: "to take the token away changes nothing",
			does: func() {
				w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationResize) })
			},
			want: 7,
		},
		{
			reason: "another token does it again, and the restart of the same moment comes after it",
			does: func() {
				w.editMachine(annotated(vitistackv1alpha1.AnnotationResize, "tuesday", vitistackv1alpha1.AnnotationRestart, "a"))
				w.before = func(c call) error {
					if c.verb == "put" && cores() != 8 {
						t.Error("the guest was restarted before the change")
					}
					return nil
				}
			},
			want: 8,
		},
	}
	for _, step := range steps {
		step.does()
		if w.mustSettle(); cores() != step.want {
			t.Errorf("%s: got %d cores, want %d", step.reason, cores(), step.want)
		}
	}
	if record := w.restartRecord(); record.Token != "a" {
		t.Errorf("no restart was asked for: %v", record)
	}
}

// TestResizeRefused changes nothing where the class is gone or the token is none.
func TestResizeRefused(t *testing.T) {
	cases := map[string]struct{ reason, token, ready string }{
		"ClassGone": {reason: "sizes of a class that is gone are no sizes", token: "a", ready: "False/UnknownClass"},
		"LongToken": {reason: "a token is bounded", token: strings.Repeat("a", 254), ready: "False/InvalidSpec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "gone"}}
			class.Spec.CPU.Cores, class.Spec.Memory.Quantity = 6, resource.MustParse("12Gi")
			w := newWorld(t, []string{east}, newMachine(in(east), sized("gone")), class)
			w.mustSettle()
			w.remove(supervisor, class)
			before := w.vms()[east+"/"+vmName]
			w.editMachine(annotated(vitistackv1alpha1.AnnotationResize, tc.token))
			w.mustSettle()
			if diff := cmp.Diff(before.Spec, w.vms()[east+"/"+vmName].Spec); diff != "" || w.readyReason() != tc.ready {
				t.Errorf("\n%s\n%s (-want +got):\n%s", tc.reason, w.readyReason(), diff)
			}
		})
	}
}
