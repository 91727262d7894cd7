package clusters_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

func TestConnectionErrorChain(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		target error
		want   bool
	}{
		"its reason": {"a caller branches on the sentinel",
			&clusters.ConnectionError{Reason: clusters.ErrForbidden}, clusters.ErrForbidden, true},
		"wrapped": {"context may be added",
			fmt.Errorf("x: %w", &clusters.ConnectionError{Reason: clusters.ErrNotSynced}), clusters.ErrNotSynced, true},
		"401 is not connected": {"one policy for every cause of lost contact",
			&clusters.ConnectionError{Reason: clusters.ErrUnauthorized}, clusters.ErrNotConnected, true},
		"another": {"reasons are distinct", &clusters.ConnectionError{Reason: clusters.ErrNotSynced},
			clusters.ErrNotConnected, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := errors.Is(tc.err, tc.target); got != tc.want {
				t.Errorf("%s: errors.Is: want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

func TestConnectionErrorHidesItsCause(t *testing.T) {
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "kube-system")
	err := &clusters.ConnectionError{Config: "east", Reason: clusters.ErrNotConnected, Message: "no kube-system",
		Cause: gone}
	if apierrors.IsNotFound(err) {
		t.Error("a NotFound met while connecting reads as the absence of what the caller asked for")
	}
}

func TestConnectionErrorAge(t *testing.T) {
	now := time.Unix(1000, 0)
	cases := map[string]struct {
		reason string
		since  time.Time
		want   time.Duration
	}{
		"known":     {"the age is counted from Since", now.Add(-time.Minute), time.Minute},
		"not known": {"a zero time is no age of two thousand years", time.Time{}, 0},
		"skewed":    {"an age is never negative", now.Add(time.Second), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := &clusters.ConnectionError{Since: tc.since}
			if diff := cmp.Diff(tc.want, err.Age(now)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHealthErrorIsSorted(t *testing.T) {
	if err := clusters.HealthError(map[string]error{}); err != nil {
		t.Errorf("all are well: want nil, got %v", err)
	}
	err := clusters.HealthError(map[string]error{"west": clusters.ErrNotConnected, "east": clusters.ErrForbidden})
	var all *multierror.Error
	if !errors.As(err, &all) {
		t.Fatalf("want a *multierror.Error, got %T", err)
	}
	got := make([]string, 0, len(all.Errors))
	for _, e := range all.Errors {
		got = append(got, e.Error())
	}
	if diff := cmp.Diff([]string{"east: forbidden", "west: not connected"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !errors.Is(err, clusters.ErrForbidden) {
		t.Error("the parts are not in the chain")
	}
}
