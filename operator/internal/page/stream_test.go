package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

func fmtInt(n int) string { return strconv.Itoa(n) }

// first is the fleet with which a stream begins, and what comes after.
func (s *served) first(header map[string]string) (<-chan event, view.Fleet) {
	s.t.Helper()
	events, stop := s.listen(header)
	s.t.Cleanup(stop)
	begin := next(s.t, events)
	var fleet view.Fleet
	if err := json.Unmarshal([]byte(begin.data), &fleet); err != nil || begin.name != "fleet" {
		s.t.Fatalf("the stream begins with %s: %v", begin.name, err)
	}
	return events, fleet
}

// change is what an event of that name carries.
type change struct {
	Clusters     []view.Cluster
	Machines     []view.Machine
	GoneMachines []feed.Key
	History      []view.Change
}

func nextChange(t *testing.T, events <-chan event) change {
	t.Helper()
	e := next(t, events)
	var c change
	if err := json.Unmarshal([]byte(e.data), &c); err != nil || e.name != "change" {
		t.Fatalf("%s %s: %v", e.name, e.data, err)
	}
	return c
}

// told changes the condition Ready of a Machine.
func told(t *testing.T, namespace, name string, condition metav1.Condition) {
	t.Helper()
	machine := &vitistackv1alpha1.Machine{}
	must(t, world.admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, machine))
	before := client.MergeFrom(machine.DeepCopy())
	condition.Type = vitistackv1alpha1.ConditionReady
	machine.Status.SetCondition(condition)
	must(t, world.admin.Status().Patch(t.Context(), machine, before))
}

// TestStream: what changes is told to those who may know, and to nobody else.
func TestStream(t *testing.T) {
	s := serve(t, setting{})
	all, blue := newPerson(t, "stream-all"), newPerson(t, "stream-blue")
	all.mayList("machines", "")
	blue.mayList("machines", "blue")
	allToken, _ := all.token()
	blueToken, _ := blue.token()
	seesAll, _ := s.first(bearer(allToken))
	seesBlue, _ := s.first(bearer(blueToken))

	hostile := `<img src=x onerror=alert(1)> "quoted" ` + "\u2028\n\ndata: forged\n\n"
	told(t, "red", "secret-project", metav1.Condition{Status: metav1.ConditionFalse, Reason: "Unschedulable", Message: hostile})
	got := nextChange(t, seesAll)
	if len(got.Machines) != 1 || got.Machines[0].Message != hostile || got.Machines[0].Ready != "False" {
		t.Errorf("the change is %+v", got.Machines)
	}
	if len(got.History) != 1 || got.History[0].What != "Ready" || got.History[0].Now != "False" ||
		got.History[0].Reason != "Unschedulable" {
		t.Errorf("the history gets %+v", got.History)
	}
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: "stream"}}
	must(t, world.admin.Create(t.Context(), machine))
	if got := nextChange(t, seesBlue); len(got.Machines) != 1 || got.Machines[0].Name != "stream" || got.History[0].What != view.Created {
		t.Errorf("who may list Machines in blue is told %+v", got)
	}
	must(t, world.admin.Delete(t.Context(), machine))
	if got := nextChange(t, seesBlue); len(got.GoneMachines) != 1 || got.History[0].What != view.Gone {
		t.Errorf("of the end he is told %+v", got)
	}
}

// TestStreamEnds: who loses a right is shown nothing more, and who gets one is shown more.
func TestStreamEnds(t *testing.T) {
	s := serve(t, setting{access: access.Options{Keep: time.Second}, page: page.Options{Recheck: 500 * time.Millisecond}})
	for name, lose := range map[string]func(p person) func(){
		"Right":    func(p person) func() { return p.mayList("machines", "red") },
		"NewRight": func(p person) func() { return func() { p.mayList("machines", "green") } },
	} {
		t.Run(name, func(t *testing.T) {
			someone := newPerson(t, "ends-"+strings.ToLower(name))
			someone.mayList("machines", "blue")
			change := lose(someone)
			token, _ := someone.token()
			events, stop := s.listen(bearer(token))
			defer stop()
			next(t, events)
			change()
			ended(t, events)
		})
	}
	t.Run("Token", func(t *testing.T) {
		someone := newPerson(t, "ends-token")
		someone.mayList("machines", "blue")
		token, end := someone.token()
		events, stop := s.listen(bearer(token))
		defer stop()
		next(t, events)
		end()
		ended(t, events)
	})
}

// ended waits for the end of a stream.
func ended(t *testing.T, events <-chan event) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case _, open := <-events:
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the stream goes on")
		}
	}
}

// TestCostsNothing: while nobody looks there is no handler on an informer, no goroutine and no call
// to the API server, and changes are not looked at. The last one who leaves takes everything away.
func TestCostsNothing(t *testing.T) {
	s := serve(t, setting{})
	someone := newPerson(t, "cost")
	someone.mayList("machines", "")
	token, _ := someone.token()
	s.get("/fleet.json", bearer(token)).fleet(t)
	s.client.CloseIdleConnections()
	atRest := settled(t)
	const operator = `"username":"system:serviceaccount:kubevirt-operator:kubevirt-operator"`
	calls := answered(t, operator)
	for i := range 50 {
		told(t, "blue", "web", metav1.Condition{Status: metav1.ConditionFalse, Reason: "Starting", Message: fmt.Sprint(i)})
	}
	if added := s.cache.added.Load(); added != 0 {
		t.Errorf("%d handlers were added while nobody looked", added)
	}
	if more := answered(t, operator) - calls; more != 0 || calls == 0 {
		t.Errorf("the operator made %d calls while nobody looked, after %d before", more, calls)
	}
	stops := make([]func(), 3)
	for i := range stops {
		var events <-chan event
		events, stops[i] = s.listen(bearer(token))
		next(t, events)
	}
	if handlers := s.cache.handlers.Load(); handlers != 2 {
		t.Errorf("three people cost %d handlers, want one for each of two kinds", handlers)
	}
	for _, stop := range stops {
		stop()
	}
	eventually.Eventually(t, 30*time.Second, "everything is taken away", func(context.Context) error {
		s.client.CloseIdleConnections()
		handlers, goroutines := s.cache.handlers.Load(), runtime.NumGoroutine()
		if handlers != 0 || goroutines > atRest {
			return fmt.Errorf("%d handlers and %d goroutines, at rest there were %d", handlers, goroutines, atRest)
		}
		return nil
	})
}

// settled is the number of goroutines once it stays the same.
func settled(t *testing.T) int {
	t.Helper()
	last, same := 0, 0
	eventually.Eventually(t, 30*time.Second, "the number of goroutines stays the same", func(context.Context) error {
		if now := runtime.NumGoroutine(); now != last {
			last, same = now, 0
		} else if same++; same > 10 {
			return nil
		}
		return fmt.Errorf("%d goroutines", last)
	})
	return last
}

// TestFull: beyond the number of listeners somebody is told so, and not let in at the cost of
// others.
func TestFull(t *testing.T) {
	s := serve(t, setting{feed: feed.Options{MaxListeners: 1}})
	someone := newPerson(t, "full")
	someone.mayList("machines", "blue")
	token, _ := someone.token()
	events, stop := s.listen(bearer(token))
	next(t, events)
	if got := s.get("/events", bearer(token)); got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, "As many people") {
		t.Errorf("one too many gets %d: %s", got.code, got.body)
	}
	s.get("/fleet.json", bearer(token)).fleet(t)
	stop()
	eventually.Eventually(t, 30*time.Second, "the next one is let in", func(context.Context) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"events", http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := s.client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%d", response.StatusCode)
		}
		return nil
	})
}
