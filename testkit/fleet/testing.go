package fleet

import "testing"

// New starts a fleet for a test and stops it when the test ends. It fails the test where Start
// would return an error.
func New(t testing.TB, options Options) *Fleet {
	t.Helper()
	f, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Errorf("stopping the fleet: %v", err)
		}
	})
	return f
}
