package controlplane

import "testing"

// New starts a cluster for a test and stops it when the test ends. It fails the test where Start
// would return an error.
func New(t testing.TB, options Options) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stopping %s: %v", c.Name(), err)
		}
	})
	return c
}
