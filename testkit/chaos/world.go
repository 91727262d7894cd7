package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/observer"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// world is what one run acts on.
type world struct {
	*Arena
	namespace string
	observer  *observer.Observer
	operator  *keeper
	// operating is the same for who asks from elsewhere.
	operating atomic.Pointer[keeper]
	undos     undos
	// flags are those of the operator's next start, binary its program; plugins and placement are
	// this run's own folder of plugins and file of strategies.
	flags              []string
	binary             string
	plugins, placement string
	// kubeconfigs are what the Secrets of the remotes have when nobody spoilt them.
	kubeconfigs map[string][]byte
	// saved are snapshots of etcd by cluster.
	saved map[string]string
	// restored are the clusters whose etcd went back in time.
	restored map[string]time.Time
	// kept are the Machines whose virtual machines may stay, because a person changed them after all.
	kept map[types.UID]bool
	// persons are objects that people made in remotes.
	persons []persons
	// takenBack are those of them that a person deleted again.
	takenBack map[types.UID]bool
	made      int
}

// persons is an object that a person made.
type persons struct {
	cluster string
	object  client.Object
	uid     types.UID
}

// chain is the order of strategies when nobody lies: Machines without a reference are searched for,
// and new ones go where there are fewest.
const chain = "strategies:\n- name: annotation\n- name: search\n- name: spread\n"

// newWorld makes a namespace and starts the operator and the observer.
func (a *Arena) newWorld(ctx context.Context, seed uint64) (_ *world, err error) {
	a.runs++
	w := &world{
		Arena: a, namespace: fmt.Sprintf("chaos-%d-%d", seed, a.runs), binary: a.options.Operator,
		kubeconfigs: map[string][]byte{}, saved: map[string]string{}, restored: map[string]time.Time{},
		kept:      map[types.UID]bool{},
		takenBack: map[types.UID]bool{},
	}
	folder := filepath.Join(a.dir, fmt.Sprint(a.runs))
	w.plugins, w.placement = filepath.Join(folder, "plugins"), filepath.Join(folder, "placement.yaml")
	if err := copyPlugins(a.options.Plugins, w.plugins); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.placement, []byte(chain), 0o600); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	w.observer, err = observer.New(ctx, a.fleet, observer.Options{
		Since: time.Now(), Operators: []string{fleet.OperatorUser}, Quiet: quiet,
		Operating: func() bool { k := w.operating.Load(); return k != nil && k.running() },
	})
	if err != nil {
		return nil, err
	}
	if err = w.startOperator(); err != nil {
		w.observer.Close()
		return nil, err
	}
	return w, nil
}

// startOperator lets an operator run as it is to be now.
func (w *world) startOperator() error {
	next, err := keep(w.starter())
	if err != nil {
		return err
	}
	w.operator = next
	w.operating.Store(next)
	return nil
}

// prepare makes what a run begins with.
func (w *world) prepare(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	if err := w.supervisor.Create(ctx, namespace); err != nil {
		return err
	}
	for _, name := range remotes() {
		secret := w.secret(name)
		if err := w.supervisor.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
			return err
		}
		w.kubeconfigs[name] = secret.Data[vitistackv1alpha1.KubeconfigSecretKey]
	}
	return nil
}

// starter starts the operator as it is to be now.
func (w *world) starter() func() (*operator.Process, error) {
	process := operator.Process{
		Binary: w.binary, Log: w.logFile(), Plugins: w.plugins, Fleet: w.fleet,
		Args: append([]string{"--deletion-brake=4,30%,1m", "--placement-config=" + w.placement}, w.flags...),
	}
	return func() (*operator.Process, error) {
		next := &operator.Process{Binary: process.Binary, Log: process.Log, Plugins: process.Plugins,
			Fleet: process.Fleet, Args: process.Args}
		return next, next.Start()
	}
}

// restartOperator lets the operator begin anew as it is to be now.
func (w *world) restartOperator() error { return errors.Join(w.operator.end(), w.startOperator()) }

// lasting notes what ends a step after a time.
func (w *world) lasting(ctx context.Context, what string, step Step, end func(context.Context) error) error {
	return w.undos.add(ctx, what, time.Now().Add(step.duration("for")), end)
}

// secret is the one of a remote's KubevirtConfig, to be read.
func (w *world) secret(remote string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(remote)}}
}

// machine reads a Machine.
func (w *world) machine(ctx context.Context, name string) (*vitistackv1alpha1.Machine, error) {
	m := &vitistackv1alpha1.Machine{}
	return m, w.supervisor.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, m)
}

// change patches a Machine, as a person does.
func (w *world) change(ctx context.Context, name string, edit func(*vitistackv1alpha1.Machine)) error {
	m, err := w.machine(ctx, name)
	if err != nil {
		return err
	}
	before := m.DeepCopy()
	edit(m)
	return w.supervisor.Patch(ctx, m, client.MergeFrom(before))
}

// annotate sets an annotation of a Machine; "" takes it away.
func (w *world) annotate(ctx context.Context, name, annotation, value string) error {
	return w.change(ctx, name, func(m *vitistackv1alpha1.Machine) {
		m.Annotations = maps.Clone(m.Annotations)
		if value == "" {
			delete(m.Annotations, annotation)
			return
		}
		if m.Annotations == nil {
			m.Annotations = map[string]string{}
		}
		m.Annotations[annotation] = value
	})
}

// own is the metadata of an object that a run makes and that goes with it.
func (w *world) own(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{ownLabel: "true"}}
}

// ownLabel tells what chaos made from what was there.
const ownLabel = "chaos.testkit/own"

// next is a name that no other object of the run has.
func (w *world) next(prefix string) string {
	w.made++
	return fmt.Sprintf("%s-%d", prefix, w.made)
}

// gone deletes an object that may be gone, and where its UID is known no other one of its name.
func gone(ctx context.Context, c client.Client, object client.Object) error {
	var options []client.DeleteOption
	if uid := object.GetUID(); uid != "" {
		options = append(options, client.Preconditions{UID: &uid})
	}
	err := c.Delete(ctx, object, options...)
	if apierrors.IsConflict(err) { // another one has the name now
		return nil
	}
	return client.IgnoreNotFound(err)
}

// isThere is an error unless err says that an object exists already.
func isThere(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
