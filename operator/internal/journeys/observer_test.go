package journeys

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/observer"
)

// watcher is an observer of the whole fleet for one test.
type watcher struct{ *observer.Observer }

// observe follows all clusters until the test ends, and fails it for what was seen.
func observe(t *testing.T) watcher {
	t.Helper()
	o, err := observer.New(t.Context(), world.fleet, observer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer o.Close()
		violations, err := o.Last(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, v := range violations {
			t.Error(v)
		}
	})
	return watcher{o}
}

// excuse takes a Machine out of the count of guests, whose source a person starts.
func (w watcher) excuse(uid types.UID) { w.Excuse("a person starts the source", uid, "I1") }

// persons begins the names of what is a person's.
const persons = "persons-"
