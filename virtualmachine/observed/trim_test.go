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
		if diff := cmp.Diff(map[string]string{key: "v"}, trim.labels(map[string]string{key: "v"})); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
	if held := len(trim.locked.shared); held > maxShared {
		t.Errorf("%d strings are held", held)
	}
}
