package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/observer"
)

const (
	// stepTimeout is for one step, those that restart servers included.
	stepTimeout = 90 * time.Second
	// within is how long Machines may take once all faults have ended.
	within = 60 * time.Second
	// settled is how long the rest may take once all Machines say that they are Ready.
	settled = 20 * time.Second
	// calmDown is what guests may need to report what they are like, and the operator to write it down:
	// how many Machines a class has, it writes each 10 seconds at most.
	calmDown = 13 * time.Second
	// quiet is how long nothing may be asked at rest.
	quiet = 5 * time.Second
	// endTimeout is for ending all faults; killed clusters are started again meanwhile.
	endTimeout = 2 * time.Minute
)

// Result is how a run went.
type Result struct {
	// Schedule is what was played.
	Schedule Schedule `json:"schedule"`
	// Done and NotDone count the steps by kind.
	Done    map[string]int `json:"done"`
	NotDone map[string]int `json:"notDone,omitempty"`
	// Violations are what must not be; none in a good run.
	Violations []observer.Violation `json:"violations,omitempty"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
}

// Run plays a schedule and holds that nothing is broken. It ends at the first step after which
// something is. An error says that the run itself did not come to its end; it is no verdict.
func (a *Arena) Run(ctx context.Context, schedule Schedule) (Result, error) {
	begun := time.Now()
	result := Result{Schedule: schedule, Done: map[string]int{}, NotDone: map[string]int{}}
	w, err := a.newWorld(ctx, schedule.Seed)
	if err != nil {
		return result, err
	}
	err = w.play(ctx, &result)
	if err == nil {
		err = w.close(ctx, &result)
	} else {
		err = errors.Join(err, w.abandon(ctx))
	}
	result.Violations = append(result.Violations, w.crashes()...)
	result.Seconds = time.Since(begun).Seconds()
	if err != nil || len(result.Violations) > 0 { // what is left would be in the way of the next run
		err = errors.Join(err, a.restart(ctx))
	}
	return result, err
}

// play does the steps.
func (w *world) play(ctx context.Context, result *Result) error {
	begun := time.Now()
	for _, step := range result.Schedule.Steps {
		if err := w.pass(ctx, step.After.Duration); err != nil {
			return err
		}
		if err := w.do(ctx, step); err != nil {
			result.NotDone[step.Kind]++
			w.say("%6.1fs  %s: not done: %v", time.Since(begun).Seconds(), step, err)
		} else {
			result.Done[step.Kind]++
			w.say("%6.1fs  %s", time.Since(begun).Seconds(), step)
		}
		violations, err := w.observer.Check(ctx)
		if err != nil {
			return fmt.Errorf("observing: %w", err)
		}
		if result.Violations = append(result.Violations, violations...); len(violations) > 0 {
			return nil
		}
	}
	return ctx.Err()
}

func (w *world) do(ctx context.Context, step Step) error {
	k, found := kindOf(step.Kind)
	if !found {
		return fmt.Errorf("there is no kind %q", step.Kind)
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return k.do(ctx, w, step)
}

// pass lets time pass, and ends what is due meanwhile.
func (w *world) pass(ctx context.Context, d time.Duration) error {
	until := time.Now().Add(d)
	for {
		now := time.Now()
		if err := w.undos.finish(ctx, func(u undo) bool { return !u.due.After(now) }); err != nil {
			w.say("         %v", err) // it is tried again
		}
		wake := until
		if due := w.undos.next(); !due.IsZero() && due.Before(wake) {
			wake = due
		}
		timer := time.NewTimer(time.Until(wake))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		if !time.Now().Before(until) {
			return nil
		}
	}
}

// close ends all faults, waits until everybody has what was asked for, and takes all of it away.
func (w *world) close(ctx context.Context, result *Result) error {
	if err := w.calm(ctx); err != nil {
		return errors.Join(err, w.abandon(ctx))
	}
	w.say("         faults have ended")
	helper := &person{world: w, said: map[string]bool{}}
	for _, hold := range []func(context.Context) []observer.Violation{
		func(ctx context.Context) []observer.Violation { return w.settle(ctx, helper) },
		func(ctx context.Context) []observer.Violation { return w.observer.Converged(ctx, settled) },
		func(ctx context.Context) []observer.Violation { return w.clear(ctx, helper) },
	} {
		if len(result.Violations) == 0 {
			result.Violations = hold(ctx)
		}
	}
	violations, err := w.observer.Check(ctx)
	result.Violations = append(result.Violations, violations...)
	return errors.Join(err, w.abandon(ctx))
}

// settle waits until each Machine says that it is Ready, or is gone if it was deleted. A person helps,
// and has nothing to do any more in the end.
func (w *world) settle(ctx context.Context, helper *person) []observer.Violation {
	err := w.help(ctx, helper, w.unsettled)
	if err != nil {
		return violation(observer.Convergence, w.namespace, err)
	}
	w.say("         every Machine is as its spec asks")
	if err := w.pass(ctx, calmDown); err != nil {
		return violation(observer.Convergence, w.namespace, err)
	}
	return nil
}

// help lets a person look again and again, until nothing is amiss and nobody has anything to do.
func (w *world) help(ctx context.Context, helper *person, amiss func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		before := helper.acted
		err := helper.assist(ctx)
		if err == nil && helper.acted == before {
			err = amiss(ctx)
			if err == nil {
				return nil
			}
		}
		if w.pass(ctx, retry) != nil {
			return cmp.Or(amiss(context.WithoutCancel(ctx)), err, errors.New("a person has to act again and again"))
		}
	}
}

// unsettled says which Machine is not as it is to be.
func (w *world) unsettled(ctx context.Context) error {
	machines := &vitistackv1alpha1.MachineList{}
	if err := w.supervisor.List(ctx, machines, client.InNamespace(w.namespace)); err != nil {
		return err
	}
	for i := range machines.Items {
		m := &machines.Items[i]
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		switch {
		case ready == nil:
			return fmt.Errorf("the Machine %s has no condition Ready", m.Name)
		case ready.Status != metav1.ConditionTrue:
			return fmt.Errorf("the Machine %s is %s: %s", m.Name, ready.Reason, ready.Message)
		case !m.DeletionTimestamp.IsZero():
			return fmt.Errorf("the Machine %s was deleted and is still there", m.Name)
		case m.Status.ObservedGeneration != m.Generation:
			return fmt.Errorf("the Machine %s has generation %d, and its status is of %d", m.Name, m.Generation,
				m.Status.ObservedGeneration)
		}
	}
	return nil
}

// calm ends every fault, and mends what would outlive the run.
func (w *world) calm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	for {
		err := w.undos.finish(ctx, func(undo) bool { return true })
		if err == nil {
			err = w.mend(ctx)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("ending the faults: %w", err)
		}
		if err := w.pass(ctx, retry); err != nil {
			return err
		}
	}
}

// abandon ends the processes of a run.
func (w *world) abandon(ctx context.Context) error {
	w.observer.Close()
	err := w.operator.end()
	for _, u := range slices.Backward(w.undos) { // what calm could not end: the run failed for that
		_ = u.end(ctx)
	}
	return err
}
