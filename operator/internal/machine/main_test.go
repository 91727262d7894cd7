package machine_test

import (
	"flag"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// TestMain keeps the random tests short where nobody says how long they may take (-rapid.checks,
// -long).
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	log.SetLogger(logr.Discard())
	flag.Parse()
	code := m.Run()
	_ = os.RemoveAll(faultyDir) // "" where it was not needed
	os.Exit(code)
}
