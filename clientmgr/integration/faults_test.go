package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// refused checks that neither a look-up nor a client that somebody still holds answers, and that
// none of them says NotFound.
func (f *fixture) refused(config string, held client.Client, want error) {
	f.t.Helper()
	_, err := f.GetClientForConfig(f.t.Context(), config)
	if !errors.Is(err, want) {
		f.t.Errorf("look-up: want %v, got %v", want, err)
	}
	var failed *clientmgr.ConnectionError
	if errors.As(err, &failed) && failed.Since.IsZero() {
		f.t.Errorf("look-up: no age: %v", err)
	}
	if held == nil {
		return
	}
	for name, key := range map[string]client.ObjectKey{"cached": f.key("absent"), "listed": f.key("held")} {
		if err := held.Get(f.t.Context(), key, &corev1.ConfigMap{}); err == nil || apierrors.IsNotFound(err) {
			f.t.Errorf("held client, %s object: want an error other than NotFound, got %v", name, err)
		}
	}
}

// lookupsAreQuick looks a cluster that is in trouble up 1000 times.
func (f *fixture) lookupsAreQuick(config string) {
	f.t.Helper()
	begin := time.Now()
	for range 1000 {
		_, _ = f.GetClientForConfig(f.t.Context(), config)
	}
	if took := time.Since(begin); took > time.Second {
		f.t.Errorf("1000 look-ups of a cluster in trouble took %s", took)
	}
}

// healthNames checks that HealthCheck names the one that is in trouble, and not the other, in time.
func (f *fixture) healthNames(config string, _ *bystander) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	unhealthy := f.HealthCheck(ctx)
	if unhealthy[config] == nil || unhealthy[bystanding] != nil || ctx.Err() != nil {
		f.t.Errorf("health: want %s alone, in time; got %v, %v", config, unhealthy, ctx.Err())
	}
	f.must(f.ValidateConnection(ctx, bystanding))
	if err := f.ValidateConnection(ctx, config); err == nil {
		f.t.Errorf("%s is valid", config)
	}
}

func TestUnauthorizedThenFixed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	token, revoke := f.token(f.newUser(east))
	f.config("east", f.kubeconfig(east, east.Addr(), token))
	f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("held")))
	f.sees("east", "held")
	held, other := f.client("east"), f.bystander()
	before := f.audited(east)
	revoke()
	f.reaches("east", clientmgr.Degraded, clientmgr.ReasonUnauthorized)
	f.refused("east", held, clientmgr.ErrUnauthorized)
	f.rewrite("east", f.admin(east, east.Addr()))
	f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("fixed")))
	f.sees("east", "fixed")
	other.check(t)
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

func TestSecretComesAndGoes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	other := f.bystander()
	f.config("east", nil)
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	_, err := f.GetClientForConfig(t.Context(), "east")
	if diff := cmp.Diff(fmt.Sprintf("KubevirtConfig east: failed to get kubeconfig secret %s/east", f.namespace),
		fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	good := f.admin(east, east.Addr())
	f.must(supervisor.admin.Create(t.Context(), f.secret("east", good)))
	f.connects("east")
	held := f.client("east")

	f.must(supervisor.admin.Delete(t.Context(), f.secret("east", nil)))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	f.refused("east", held, clientmgr.ErrCredentialMissing)
	f.must(supervisor.admin.Create(t.Context(), f.secret("east", good)))
	f.connects("east")

	f.must(supervisor.admin.Delete(t.Context(), f.secret("east", nil)))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	f.must(supervisor.admin.Create(t.Context(), f.secret("east", []byte("garbage: [hunter2"))))
	f.reaches("east", clientmgr.Stopped, clientmgr.ReasonBadKubeconfig)
	f.refused("east", held, clientmgr.ErrBadKubeconfig)
	f.rewrite("east", good)
	f.connects("east")

	empty := f.secret("east", nil)
	empty.Data = map[string][]byte{"other": []byte("x")}
	f.must(supervisor.admin.Update(t.Context(), empty))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	f.refused("east", held, clientmgr.ErrCredentialMissing)
	other.check(t)
}

// TestUnchangedSecretChangesNothing: labels, annotations and other keys of a Secret, and another
// order in the kubeconfig, are no news.
func TestUnchangedSecretChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	good := f.admin(east, east.Addr())
	f.config("east", good)
	state := f.connects("east")
	connects, before := f.counter("clientmgr_connects_total", "east"), f.audited(east)
	changed := f.secret("east", append([]byte("# a comment\n"), good...))
	changed.Labels, changed.Annotations, changed.Data["other"] = map[string]string{"a": "b"}, map[string]string{"a": "b"},
		[]byte("x")
	f.must(supervisor.admin.Update(t.Context(), changed))
	f.config("witness", good) // the manager has seen the change once it knows of this
	f.connects("witness")
	if after, _ := f.State("east"); !after.Since.Equal(state.Since) ||
		f.counter("clientmgr_connects_total", "east") != connects ||
		f.counter("clientmgr_rotations_total", "east") != 0 {
		t.Errorf("before %+v, after %+v", state, after)
	}
	if after := f.audited(east); after.relists != before.relists+1 { // the witness's own
		t.Errorf("relists: before %+v, after %+v", before, after)
	}
}

// TestSupervisorAway takes the supervisor's API server away for a minute. The remote clusters go on
// as they were; what changed meanwhile is followed when it is back.
func TestSupervisorAway(t *testing.T) {
	t.Parallel()
	config, http, proxy := behind(t, supervisor)
	f := newFixtureBehind(t, config, http, nil)
	good := f.admin(east, east.Addr())
	f.config("east", good)
	f.connects("east")
	other, load := f.bystander(), f.load("east")
	before := f.audited(east)
	f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	f.rewrite("east", f.admin(east, east.Addr()))
	f.config("late", f.admin(west, west.Addr()))
	const minute = time.Minute
	eventually.Eventually(t, 2*minute, "the supervisor has been away for a minute", whileFor(minute, func() error {
		state, _ := f.State("east")
		if _, err := f.GetClientForConfig(t.Context(), "east"); err != nil || !state.Ready() {
			t.Fatalf("the supervisor's absence is no news of a remote cluster: %+v, %v", state, err)
		}
		if _, err := f.ListKubevirtConfigs(t.Context()); err != nil {
			t.Fatalf("what was known is known: %v", err)
		}
		return nil
	}))
	f.must(proxy.Set(faults.Fault{}))
	f.rotated("east", 1)
	f.connects("late")
	load.check(t)
	other.check(t)
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

// whileFor returns an error until a time has passed, and calls hold all the while.
func whileFor(d time.Duration, hold func() error) func(context.Context) error {
	until := time.Now().Add(d)
	return func(context.Context) error {
		if err := hold(); err != nil {
			return err
		}
		if left := time.Until(until); left > 0 {
			return fmt.Errorf("%s to go", left)
		}
		return nil
	}
}
