package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

var update = flag.Bool("update", false, "make the screenshots of README.md anew")

// world is what all tests of the package share.
var world struct {
	fleet *fleet.Fleet
	url   string // of the page
	token string // of a person who may list everything
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	world.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: 1, KubeVirt: kubevirt.Light})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	if err := letRoomBeSeen(ctx); err != nil {
		return 1, err
	}
	stopStandIns, err := addStandIns(ctx)
	if err != nil {
		return 1, err
	}
	defer stopStandIns()
	ended, err := startPage(ctx)
	if err != nil {
		return 1, err
	}
	defer func() {
		cancel()
		err = errors.Join(err, <-ended)
	}()
	if world.token, err = newViewer(ctx); err != nil {
		return 1, err
	}
	if err := makeMachines(ctx); err != nil {
		return 1, err
	}
	stopBrowser, err := startBrowser(ctx)
	if err != nil {
		return 1, err
	}
	defer stopBrowser()
	return m.Run(), nil
}
