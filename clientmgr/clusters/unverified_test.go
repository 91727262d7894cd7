package clusters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

func TestAdmit(t *testing.T) {
	cases := map[string]struct {
		reason     string
		remembered string
		accepted   string
		seen       string
		want       error
		former     []string
	}{
		"never known, hidden": {reason: "a cluster that never let its identity be read is connected"},
		"known, hidden": {reason: "another cluster could hide behind a 403", remembered: "a",
			want: ErrIdentityUnverified},
		"known, hidden, other": {reason: "consent to one UID is no consent to an unread one", remembered: "a", accepted: "b",
			want: ErrIdentityUnverified},
		"known, same":    {reason: "the cluster is who it was", remembered: "a", seen: "a"},
		"known, another": {reason: "a person must decide", remembered: "a", seen: "b", want: ErrIdentityChanged},
		"accepted": {reason: "the predecessor is told, so that ledgers can be bound anew", remembered: "a",
			accepted: "b", seen: "b", former: []string{"a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := Wish{UID: "config", RememberedUID: tc.remembered, AcceptedUID: tc.accepted}
			c := newCluster("east", w, Options{Clock: clocktesting.NewFakeClock(time.Unix(1e9, 0))})
			if err := c.admit(identity{uid: tc.seen}); !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
			state := c.withIdentity(c.state)
			if diff := cmp.Diff(tc.former, state.FormerClusterUIDs); diff != "" || state.ConfigUID != "config" {
				t.Errorf("%s: former UIDs: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestServersWordsSurvive(t *testing.T) {
	vms := schema.GroupResource{Group: "kubevirt.io", Resource: "virtualmachines"}
	status := func(code int32, reason metav1.StatusReason, message string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Reason: reason, Message: message}}
	}
	cases := map[string]struct {
		reason       string
		err          error
		has, hasNot  string
		notConnected bool
	}{
		"quota": {"a 403 about a quota is not about rights",
			apierrors.NewForbidden(vms, "vm-web", errors.New("exceeded quota: vms")), "exceeded quota: vms", "", false},
		"address": {"a message may quote an address", status(403, metav1.StatusReasonForbidden,
			"denied by 10.1.2.3:6443 for [fd00::1]:443"), "denied by", "10.1.2.3", false},
		"control": {"a message may try to write on a terminal", status(403, metav1.StatusReasonForbidden, "a\x1b[31m\nb"),
			"a", "\x1b", false},
		"endless": {"a message may be endless", status(403, metav1.StatusReasonForbidden, strings.Repeat("x", 1<<20)), "xxx",
			strings.Repeat("x", maxWords), false},
		"webhook": {"the API server has answered: a webhook is down",
			status(500, metav1.StatusReasonInternalError, "failed calling webhook \"virt-api\""), "virt-api", "", false},
		"late": {"the API server has answered: it ran out of time",
			status(504, metav1.StatusReasonTimeout, "request did not complete"), "did not complete", "", false},
		"unlabelled": {
			"the API server's filter of late requests sets no content type, so that client-go takes the answer for text",
			apierrors.NewGenericServerResponse(http.StatusGatewayTimeout, "post", vms, "vm-web",
				`{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}`,
				0, true),
			"did not complete", "", false,
		},
		"balancer": {"a load balancer's 504 is none of the API server's", apierrors.NewGenericServerResponse(
			http.StatusGatewayTimeout, "post", vms, "vm-web", "<html>no upstream</html>", 0, true), "504", "upstream", true},
		"proxy page": {"a proxy's page is no answer, and quotes the request", apierrors.NewGenericServerResponse(
			http.StatusBadGateway, "get", vms, "vm-web", "authorization=Bearer s3cr3t", 0, true), "502", "s3cr3t", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := callError(called{"cluster", "east"}, tc.err)
			if !strings.Contains(err.Error(), tc.has) || tc.hasNot != "" && strings.Contains(err.Error(), tc.hasNot) {
				t.Errorf("%s: want %q in it and not %q: %.200s", tc.reason, tc.has, tc.hasNot, err)
			}
			if got := errors.Is(err, ErrNotConnected); got != tc.notConnected {
				t.Errorf("%s: not connected: want %t, got %t", tc.reason, tc.notConnected, got)
			}
		})
	}
}

func TestBreaker(t *testing.T) {
	fakeClock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	b := newBreaker(fakeClock)
	calls := 0
	look := func(took time.Duration, answer error) error {
		return b.guard(called{"cluster", "east"}, func() error {
			calls++
			fakeClock.Step(took)
			return answer
		})
	}
	step := func(reason string, took time.Duration, answer error, want int) {
		t.Helper()
		_ = look(took, answer)
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s: calls: -want +got:\n%s", reason, diff)
		}
	}
	step("a caller with a short deadline has learned nothing", 100*time.Millisecond, context.DeadlineExceeded, 1)
	step("the next call goes out", 2*time.Second, context.DeadlineExceeded, 2)
	step("a call after a time-out fails at once", 0, nil, 2)
	if err := look(0, nil); !errors.Is(err, ErrNotConnected) {
		t.Errorf("want ErrNotConnected, got %v", err)
	}
	fakeClock.Step(pauseMin)
	step("our own limit let the one call not out, which says nothing", 0, fmt.Errorf("x: %w", transport.ErrBusy), 3)
	step("one call goes out after the pause", 2*time.Second, context.DeadlineExceeded, 4)
	step("it was late again", 0, nil, 4)
	fakeClock.Step(pauseMax)
	step("one call is answered", 0, nil, 5)
	step("the cluster is back", 0, nil, 6)
}

// TestBusyIsNoLossOfContact: a call that our own limit held back asks for no probe, and a call that
// the cluster let run out of time does.
func TestBusyIsNoLossOfContact(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		probed bool
	}{
		"Busy": {reason: "The cluster has not been asked.", err: fmt.Errorf("x: %w", transport.ErrBusy)},
		"Silent": {reason: "The cluster was asked and has not answered.", err: dialled(context.DeadlineExceeded),
			probed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			probed := false
			r := &remoteClient{called: called{"cluster", "east"}, gate: func() error { return nil }, failed: func() { probed = true }}
			if err := r.do(func() error { return tc.err }); !errors.Is(err, ErrNotConnected) {
				t.Errorf("%s want ErrNotConnected, got %v", tc.reason, err)
			}
			if probed != tc.probed {
				t.Errorf("%s a probe: want %t, got %t", tc.reason, tc.probed, probed)
			}
		})
	}
}
