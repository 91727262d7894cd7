package scale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
	"github.com/vitistack/kubevirt-multicluster/testkit/standin"
)

const (
	// namespace has all Machines, and in the remote clusters all virtual machines.
	namespace = "scale"
	// writers is how many requests of ours are under way at once.
	writers = 16
)

// MaxReal is how many real clusters a World has at most.
const MaxReal = 8

// Options say what is measured. Clusters and Operator are needed.
type Options struct {
	// Clusters is the number of remote clusters, Kind what they are. Default: stand-ins.
	Clusters int
	Kind     figures.Kind
	// Operator is the operator's binary, with its plugins in the folder beside it. Args are added to
	// its arguments.
	Operator string
	Args     []string
	// Log is the file that the operator's output is added to. Default: one that goes with the clusters.
	Log string
	// Samples is how many Machines are created, and how many guests change, one after the other.
	// Default: 100.
	Samples int
	// Audit lets the supervisor write down who asks it for what, for World.Counts.
	Audit bool
	// Rest is how long the operator is watched at rest. Go collects garbage every two minutes where
	// nothing happens: a shorter time leaves garbage in HeapMiB. Default: 130 s.
	Rest time.Duration
	// Progress gets a line for each step. Default: none.
	Progress io.Writer
}

func (o *Options) complete() error {
	o.Kind = cmp.Or(o.Kind, figures.StandIn)
	o.Samples = cmp.Or(o.Samples, 100)
	o.Rest = cmp.Or(o.Rest, 130*time.Second)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	switch {
	case o.Clusters < 1:
		return fmt.Errorf("%d clusters: want at least 1", o.Clusters)
	case o.Kind == figures.Real && o.Clusters > MaxReal:
		return fmt.Errorf("%d real clusters: want at most %d", o.Clusters, MaxReal)
	}
	return nil
}

// World is a supervisor, its remote clusters, and an operator.
type World struct {
	options  Options
	fleet    *fleet.Fleet
	servers  *standin.Servers
	remotes  []*remote
	admin    client.WithWatch // of the supervisor, without a limit of its own
	operator operator

	machines *followed // by their names
	vms      *appeared // by the names of their Machines
	next     int       // number of the next Machine
	made     int       // Machines; some numbers are left out

	end       context.CancelCauseFunc // of what follows
	following *errgroup.Group
}

// Start starts the clusters and the operator. On an error nothing is left behind.
func Start(ctx context.Context, options Options) (_ *World, err error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	w := &World{options: options, machines: newFollowed(), vms: newAppeared()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Stop())
		}
	}()
	if err := w.startClusters(ctx); err != nil {
		return nil, err
	}
	if err := w.register(ctx); err != nil {
		return nil, fmt.Errorf("registering the clusters: %w", err)
	}
	if err := w.follow(ctx); err != nil {
		return nil, err
	}
	w.operator = operator{options: options, fleet: w.fleet}
	if err := w.operator.start(); err != nil {
		return nil, err
	}
	return w, w.operator.connect(ctx)
}

// Stop ends everything. It can be called twice.
func (w *World) Stop() error {
	err := w.operator.stop()
	if w.end != nil {
		w.end(errors.New("it is over"))
		_ = w.following.Wait() // it ends because it is stopped
	}
	if w.servers != nil {
		w.servers.Close()
	}
	if w.fleet != nil {
		err = errors.Join(err, w.fleet.Stop())
	}
	return err
}

// startClusters starts a fleet, and where the remotes are stand-ins a fleet without remotes.
func (w *World) startClusters(ctx context.Context) (err error) {
	w.say("starting %d clusters (%s) and a supervisor", w.options.Clusters, w.options.Kind)
	options := fleet.Options{
		KubeVirt: kubevirt.Light, Audit: w.options.Audit, Alone: w.options.Kind == figures.StandIn,
	}
	if !options.Alone {
		options.Remotes = w.options.Clusters
	}
	if w.fleet, err = fleet.Start(ctx, options); err != nil {
		return err
	}
	if w.admin, err = newClient(w.fleet.Supervisor.ControlPlane.Config(), nil); err != nil {
		return err
	}
	for _, real := range w.fleet.Remotes {
		w.remotes = append(w.remotes, newReal(real))
	}
	if w.options.Kind == figures.StandIn {
		return w.startStandIns()
	}
	return nil
}

func (w *World) startStandIns() error {
	shown, err := kubevirt.Show()
	if err != nil {
		return err
	}
	w.servers, err = standin.NewServers(standin.Options{
		KubeVirt: shown.KubeVirt, Definitions: shown.Definitions,
		Created: func(_, plural, _, name string) {
			if plural == "virtualmachines" {
				w.vms.came(name, time.Now())
			}
		},
	})
	if err != nil {
		return err
	}
	for i := range w.options.Clusters {
		server, err := w.servers.Start(fmt.Sprintf("stand-in-%04d", i))
		if err != nil {
			return err
		}
		w.remotes = append(w.remotes, newStandIn(server))
	}
	return nil
}

// register makes a KubevirtConfig and a Secret for each stand-in; a fleet's remotes have theirs.
func (w *World) register(ctx context.Context) error {
	meta := metav1.ObjectMeta{Name: namespace}
	if err := w.admin.Create(ctx, &corev1.Namespace{ObjectMeta: meta}); err != nil {
		return err
	}
	return sideBySide(ctx, len(w.remotes), func(ctx context.Context, i int) error {
		remote := w.remotes[i]
		if remote.kubeconfig == nil {
			return nil
		}
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(remote.name)},
			Data:       map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: remote.kubeconfig},
		}
		if err := w.admin.Create(ctx, secret); err != nil {
			return err
		}
		config := &vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: remote.name},
			Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: remote.name, KubeconfigSecretRef: secret.Name},
		}
		return w.admin.Create(ctx, config)
	})
}

// sideBySide does something for each number below count, some at a time.
func sideBySide(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	doing, ctx := errgroup.WithContext(ctx)
	doing.SetLimit(writers)
	for i := range count {
		doing.Go(func() error { return do(ctx, i) })
	}
	return doing.Wait()
}

func (w *World) say(format string, args ...any) {
	fmt.Fprintf(w.options.Progress, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// newClient returns a client without a limit. mapper may be nil: the server is asked then.
func newClient(config *rest.Config, mapper meta.RESTMapper) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config.QPS, config.ContentType = -1, "application/json"
	return client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper})
}
