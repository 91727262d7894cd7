package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// answerTimeout is how long a person waits for one answer of an API server. It is short: a frozen
// one gives none.
const answerTimeout = 3 * time.Second

// Options say what schedules are played against.
type Options struct {
	// Operator is the program, Plugins the folder of its placement plugins, Liar the side-car that lies.
	Operator, Plugins, Liar string
	// Upgrade is another operator that takes its place in the middle; "" restarts the same one with
	// other flags.
	Upgrade string
	// KubeVirt says whether the remotes run KubeVirt's own controllers. Default: real.
	KubeVirt kubevirt.Mode
	// Logs is a folder that keeps the operator's logs; "" keeps none.
	Logs string
	// Progress gets a line for each thing that happens. Default: none.
	Progress io.Writer
}

// Arena is a fleet of one supervisor and three remotes on which schedules are played, one at a time.
type Arena struct {
	options Options
	fleet   *fleet.Fleet
	dir     string
	// supervisor and remotes are the administrator's clients, with short time-outs.
	supervisor client.Client
	remotes    map[string]client.Client
	runs       int
}

// Open starts the fleet. Close it in the end.
func Open(ctx context.Context, options Options) (_ *Arena, err error) {
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	a := &Arena{options: options}
	if a.dir, err = os.MkdirTemp("", "chaos-"); err != nil { // short: sockets of side-cars are in it
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	return a, a.restart(ctx)
}

// restart puts a new fleet in the place of the one before.
func (a *Arena) restart(ctx context.Context) (err error) {
	if a.fleet != nil {
		if err := a.fleet.Stop(); err != nil {
			return err
		}
	}
	a.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: len(remotes()), KubeVirt: a.options.KubeVirt, Audit: true,
		Moves: true, Guest: true, Terminate: true})
	if err != nil {
		return err
	}
	a.remotes = map[string]client.Client{}
	for _, c := range a.fleet.Clusters() {
		own, err := newClient(c)
		if err != nil {
			return err
		}
		if c == a.fleet.Supervisor {
			a.supervisor = own
		} else {
			a.remotes[c.Name] = own
		}
	}
	return nil
}

func newClient(c *fleet.Cluster) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config := c.ControlPlane.Config()
	config.Timeout = answerTimeout
	return client.New(config, client.Options{Scheme: scheme})
}

// client is that of a cluster, the supervisor or a remote.
func (a *Arena) client(cluster string) (client.Client, error) {
	if cluster == fleet.Supervisor {
		return a.supervisor, nil
	}
	c, found := a.remotes[cluster]
	if !found {
		return nil, fmt.Errorf("%w %q", fleet.ErrUnknownCluster, cluster)
	}
	return c, nil
}

// Close ends the fleet and removes its files.
func (a *Arena) Close() error {
	var err error
	if a.fleet != nil {
		err = a.fleet.Stop()
	}
	return errors.Join(err, os.RemoveAll(a.dir))
}

// logFile is where the operator writes in a run.
func (a *Arena) logFile() string {
	folder := a.options.Logs
	if folder == "" {
		folder = a.dir
	}
	return filepath.Join(folder, fmt.Sprintf("operator-%d.log", a.runs))
}

func (a *Arena) say(format string, args ...any) {
	fmt.Fprintf(a.options.Progress, format+"\n", args...)
}
