package observed_test

import (
	"fmt"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

func ExampleStatus() {
	status := observed.Status(observed.Input{
		Machine: &vitistackv1alpha1.Machine{},
		Reached: observed.StepPlace,
		Problems: []observed.Problem{{
			Reason:  vitistackv1alpha1.ReasonNoKubevirtConfigs,
			Message: "machine team-a/m has no KubevirtConfig reference and no KubevirtConfigs are available",
		}},
		Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	})
	fmt.Println(status.Phase, status.FailureReason)
	// Output: Failed NoKubevirtConfigs
}
