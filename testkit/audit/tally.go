package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Count is how often the same was asked.
type Count struct {
	// Key is what was asked; see Tally and By.
	Key string
	// Calls is how often.
	Calls int
}

// Tally counts calls by user, verb, kind and object.
func Tally(calls []Call) Counts {
	return By(calls, func(c Call) string {
		return strings.Join([]string{c.User, c.Verb, c.Kind(), c.object()}, " ")
	})
}

// By counts calls by a key that the caller makes, for example the namespace and name of the object.
func By(calls []Call, key func(Call) string) Counts {
	numbers := map[string]int{}
	for _, call := range calls {
		numbers[key(call)]++
	}
	counts := make(Counts, 0, len(numbers))
	for key, number := range numbers {
		counts = append(counts, Count{Key: key, Calls: number})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Key, b.Key))
	})
	return counts
}

// Counts are sorted: what was asked most often comes first.
type Counts []Count

// Of returns how often a key was asked for, 0 where it was not.
func (c Counts) Of(key string) int {
	for _, count := range c {
		if count.Key == key {
			return count.Calls
		}
	}
	return 0
}

// Most returns the count of what was asked most often, and the zero Count where nothing was asked.
func (c Counts) Most() Count {
	if len(c) == 0 {
		return Count{}
	}
	return c[0]
}

// String has a line for each count.
func (c Counts) String() string {
	var text strings.Builder
	for _, count := range c {
		fmt.Fprintf(&text, "%6d %s\n", count.Calls, count.Key)
	}
	return text.String()
}
