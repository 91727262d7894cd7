package wake_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// TestArrivals: the oldest news counts, until a status shows it.
func TestArrivals(t *testing.T) {
	var arrivals wake.Arrivals
	web, other := types.NamespacedName{Name: "web"}, types.NamespacedName{Name: "other"}
	if got := arrivals.Take(web); !got.IsZero() {
		t.Errorf("news of %s before there is any", got)
	}
	arrivals.Came(web, began.Add(time.Second))
	arrivals.Came(web, began)
	arrivals.Came(web, began.Add(time.Minute))
	arrivals.Came(other, began.Add(time.Hour))
	arrivals.Came(other, time.Time{}) // given back by who took nothing
	if got := arrivals.Take(web); !got.Equal(began) {
		t.Errorf("the oldest news is of %s, want %s", got, began)
	}
	if got := arrivals.Take(web); !got.IsZero() {
		t.Errorf("news of %s was shown already", got)
	}
	if got := arrivals.Take(other); !got.Equal(began.Add(time.Hour)) {
		t.Errorf("the other Machine's news is of %s", got)
	}
}
