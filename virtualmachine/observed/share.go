package observed

import (
	"sync"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// maxShared bounds the strings that are held once for all objects: label keys, nodes, reasons and
// the like, and as many values. Whoever may write in a cluster may add to them.
const maxShared = 10_000

// shared are strings and values of which cached objects hold one for all. What is cached is never
// changed, so that many may point to one.
type shared struct {
	sync.Mutex
	strings map[string]string
	values  map[any]any
}

// text returns a string that is equal. No long one is shared.
func (s *shared) text(of string) string {
	if of == "" || len(of) > maxName {
		return of
	}
	s.Lock()
	defer s.Unlock()
	if known, found := s.strings[of]; found {
		return known
	}
	if s.strings == nil {
		s.strings = map[string]string{}
	}
	if len(s.strings) < maxShared {
		s.strings[of] = of
	}
	return of
}

// one returns the value of a key, which is made where none is known. The keys of each kind of value
// are a type of their own.
func one[V any, K comparable](s *shared, key K, value func(K) *V) *V {
	s.Lock()
	defer s.Unlock()
	if known, found := s.values[key]; found {
		return known.(*V)
	}
	if s.values == nil {
		s.values = map[any]any{}
	}
	made := value(key)
	if len(s.values) < maxShared {
		s.values[key] = made
	}
	return made
}

// labels returns equal labels that share their keys, and the values that most objects have, with
// others.
func (s *shared) labels(of map[string]string) map[string]string {
	if len(of) == 0 {
		return nil
	}
	small := make(map[string]string, len(of))
	for key, value := range of {
		if key == vitistackv1alpha1.LabelSupervisorUID || key == vitistackv1alpha1.LabelManagedBy {
			value = s.text(value)
		}
		small[s.text(key)] = value
	}
	return small
}
