package wake

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// TestBackoff: a cluster whose webhooks did not answer after a restore was asked thirteen times within
// a minute to stop one VirtualMachine. I15 allows eight.
func TestBackoff(t *testing.T) {
	limiter, waited, attempts := Backoff(), time.Duration(0), 1
	for {
		wait := limiter.When(reconcile.Request{})
		if waited += wait; waited >= time.Minute {
			break
		}
		attempts++
	}
	if attempts > 8 {
		t.Errorf("%d attempts within the first minute", attempts)
	}
	longest := time.Duration(0)
	for range 20 {
		longest = max(longest, limiter.When(reconcile.Request{}))
	}
	if longest != 300*time.Second {
		t.Errorf("the longest wait is %s", longest)
	}
}
