// Package kept makes a value once for all who ask for it, and keeps it as long as one of them holds
// it.
package kept

import (
	"sync"
	"weak"
)

// Values are made once for each key and forgotten when no holder is left. The zero value works. Its
// methods are safe for concurrent use.
type Values[K comparable, V any] struct {
	lock  sync.Mutex
	byKey map[K]*entry[V]
	made  int
}

// entry is one value that is kept, or one that is being made.
type entry[V any] struct {
	once sync.Once
	held weak.Pointer[V]
	err  error
	done bool // under the lock: held is set for good
}

// Get returns the value of a key; those who ask while it is being made wait for it. An error is not
// kept.
func (v *Values[K, V]) Get(key K, create func() (*V, error)) (*V, error) {
	for {
		e := v.entry(key)
		var value *V
		e.once.Do(func() {
			value, e.err = create()
			if e.err == nil {
				e.held = weak.Make(value)
				v.count(e)
			}
		})
		if e.err != nil {
			v.drop(key, e)
			return nil, e.err
		}
		if value == nil {
			value = e.held.Value()
		}
		if value != nil {
			return value, nil
		}
		v.drop(key, e) // nobody held it any more
	}
}

// Made returns how many values were made so far.
func (v *Values[K, V]) Made() int {
	v.lock.Lock()
	defer v.lock.Unlock()
	return v.made
}

func (v *Values[K, V]) entry(key K) *entry[V] {
	v.lock.Lock()
	defer v.lock.Unlock()
	if v.byKey == nil {
		v.byKey = map[K]*entry[V]{}
	}
	e := v.byKey[key]
	if e == nil {
		v.sweep()
		e = &entry[V]{}
		v.byKey[key] = e
	}
	return e
}

// sweep forgets keys whose values are gone; there are as many keys as there are different
// definitions.
func (v *Values[K, V]) sweep() {
	for key, e := range v.byKey {
		if e.done && e.held.Value() == nil {
			delete(v.byKey, key)
		}
	}
}

func (v *Values[K, V]) drop(key K, e *entry[V]) {
	v.lock.Lock()
	defer v.lock.Unlock()
	if v.byKey[key] == e {
		delete(v.byKey, key)
	}
}

func (v *Values[K, V]) count(e *entry[V]) {
	v.lock.Lock()
	defer v.lock.Unlock()
	e.done = true
	v.made++
}
