package observe_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
)

var resource = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}

// server is a cluster whose answers a test sets.
type server struct {
	lock      sync.Mutex
	revisions map[string]string // by name: resourceVersion
	listed    error
	gets      int
	got       map[string]error
}

func (s *server) Revisions(context.Context) (map[string]string, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	all := map[string]string{}
	for name, revision := range s.revisions {
		all[name] = observe.Revision("uid", revision)
	}
	return all, s.listed
}

func (s *server) Definition(_ context.Context, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.gets++
	revision, found := s.revisions[name]
	switch {
	case s.got[name] != nil:
		return nil, s.got[name]
	case !found:
		return nil, apierrors.NewNotFound(resource, name)
	}
	plural, group, _ := strings.Cut(name, ".")
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid"), ResourceVersion: revision},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: plural + revision},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true}},
		},
	}, nil
}

func TestObserve(t *testing.T) {
	names := []string{"a.example.com", "b.example.com", "absent.example.com"}
	s := &server{revisions: map[string]string{"a.example.com": "1", "b.example.com": "1", "other.example.com": "1"}}
	o := observe.New("east", &crdcheck.Cache{})
	steps := []struct {
		reason  string
		change  func()
		gets    int
		unknown string
	}{
		{"from nothing: each that is there", func() {}, 2, ""},
		{"nothing changed", func() {}, 0, ""},
		{"one changed", func() { s.revisions["b.example.com"] = "2" }, 1, ""},
		{"one that nobody asks for changed", func() { s.revisions["other.example.com"] = "2" }, 0, ""},
		{"one cannot be read: the cluster is unknown, and why", func() {
			s.revisions["a.example.com"] = "2"
			s.got = map[string]error{"a.example.com": errors.New("broken pipe")}
		}, 1, "a.example.com: broken pipe"},
		{"it can be read again", func() { s.got = nil }, 1, ""},
		{
			"the list fails: unknown, and nothing is asked for",
			func() { s.listed = context.DeadlineExceeded },
			0,
			"no answer in time",
		},
		{
			"lists are forbidden: each name is asked for",
			func() { s.listed = apierrors.NewForbidden(resource, "", nil) },
			3,
			"",
		},
		{"and again: nobody knows what changed", func() {}, 3, ""},
		{"lists are allowed again: what was read meanwhile is not trusted", func() { s.listed = nil }, 2, ""},
	}
	for _, step := range steps {
		step.change()
		s.gets = 0
		snapshot := o.Observe(t.Context(), s, names)
		report := crdcheck.Require(
			snapshot, []crdcheck.Requirement{{CRD: names[0], Version: "v1"}, {CRD: names[2], Version: "v1"}},
		)
		if s.gets != step.gets {
			t.Errorf("%s: %d reads, want %d", step.reason, s.gets, step.gets)
		}
		found := map[crdcheck.RuleID]string{}
		for _, f := range report.Findings {
			found[f.Rule] = f.Why
		}
		if found[crdcheck.RuleClusterUnknown] != step.unknown {
			t.Errorf("%s: unknown because %q, want %q", step.reason, found[crdcheck.RuleClusterUnknown], step.unknown)
		}
		if _, missing := found[crdcheck.RuleCRDMissing]; missing != (step.unknown == "") {
			t.Errorf("%s: the definition that is not there is missing: %t", step.reason, missing)
		}
	}
}

// TestObserveAtOnce: two looks at one cluster at the same time are harmless.
func TestObserveAtOnce(t *testing.T) {
	s := &server{revisions: map[string]string{"a.example.com": "1"}}
	o := observe.New("east", &crdcheck.Cache{})
	var looks sync.WaitGroup
	for range 16 {
		looks.Go(func() {
			snapshot := o.Observe(t.Context(), s, []string{"a.example.com", "a.example.com"})
			if report := crdcheck.Fleet([]crdcheck.Snapshot{snapshot}, []string{"a.example.com"}); !report.OK() {
				t.Errorf("%+v", report.Findings)
			}
		})
	}
	looks.Wait()
}
