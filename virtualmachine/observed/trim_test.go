package observed

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSharedStringsAreBounded(t *testing.T) {
	var trim Trimmer
	for i := range 3 * maxShared {
		key := fmt.Sprintf("key-%d", i)
		if diff := cmp.Diff(map[string]string{key: "v"}, trim.shared.labels(map[string]string{key: "v"})); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
	if held := len(trim.shared.strings); held > maxShared {
		t.Errorf("%d strings are held", held)
	}
}

func TestSharedValuesAreBounded(t *testing.T) {
	type key int
	var s shared
	for i := range 3 * maxShared {
		if got := one(&s, key(i), func(k key) *int { return new(int(k)) }); *got != i {
			t.Fatalf("want %d, got %d", i, *got)
		}
	}
	if held := len(s.values); held > maxShared {
		t.Errorf("%d values are held", held)
	}
	first := one(&s, key(1), func(key) *int { return new(int) })
	if again := one(&s, key(1), func(key) *int { return new(int) }); again != first {
		t.Error("equal keys have one value")
	}
}
