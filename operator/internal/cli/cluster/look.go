package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// managedBy is on what these commands make.
const (
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "kubectl-machine"
)

// findings are what add knows before it changes anything.
type findings struct {
	name          string
	issue         issue
	supervisor    *reach.Supervisor
	supervisorUID string

	remote     *reach.Cluster
	identity   string // of the remote cluster
	kubernetes string // its version
	kubevirt   string // what is known of KubeVirt there
	access     []object
	account    client.ObjectKey
	rights     []right
	kubeconfig template // for the operator, without its token

	config    *vitistackv1alpha1.KubevirtConfig // nil where there is none of the name
	secretKey client.ObjectKey
	secret    *corev1.Secret // nil where there is none
	current   []byte         // the kubeconfig that is there
	// credentialWorks says that current leads into the same cluster, with all rights that it needs once
	// access is as it should be.
	credentialWorks bool
}

// look finds out everything, and refuses what must not be done. It writes nothing.
func (a *addition) look(ctx context.Context) (*findings, error) {
	if problems := validation.IsDNS1123Subdomain(a.name); len(problems) > 0 {
		return nil, fmt.Errorf("%q cannot be the name of a KubevirtConfig: %s", a.name, strings.Join(problems, "; "))
	}
	f := &findings{name: a.name, issue: a.issue}
	for _, step := range []func(context.Context, *findings) error{
		a.reachBoth, a.tellApart, a.lookRemote, a.lookSupervisor,
	} {
		if err := step(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// reachBoth opens a way into both clusters.
func (a *addition) reachBoth(ctx context.Context, f *findings) (err error) {
	if f.supervisor, err = a.supervisor.Open(ctx); err != nil {
		return err
	}
	if f.remote, err = reach.Open(a.kubeconfig, a.context); err != nil {
		return fmt.Errorf("the remote cluster: %w", err)
	}
	if f.kubeconfig, err = newTemplate(a.name, f.remote.Config, a.server); err != nil {
		return err
	}
	if f.kubernetes, err = f.remote.Version(); err != nil {
		return fmt.Errorf("the remote cluster: %w", err)
	}
	return nil
}

// tellApart refuses a cluster that is known under another name, and the supervisor.
func (a *addition) tellApart(ctx context.Context, f *findings) (err error) {
	if f.supervisorUID, err = f.supervisor.Identity(ctx); err != nil {
		return fmt.Errorf("the supervisor: %w", err)
	}
	if f.identity, err = f.remote.Identity(ctx); err != nil {
		return fmt.Errorf("the remote cluster: %w", err)
	}
	if f.identity == f.supervisorUID && !a.same {
		return errors.New("the kubeconfig leads to the supervisor itself: if Machines shall run there too, " +
			"say --allow-supervisor")
	}
	configs, err := f.supervisor.Known(ctx)
	if err != nil {
		return err
	}
	for i := range configs {
		config := &configs[i]
		uid := identityOf(config)
		switch {
		case config.Name == a.name:
			f.config = config
		case uid == f.identity:
			return fmt.Errorf("this cluster is there already: KubevirtConfig %s stands for it; a cluster that has two names "+
				"would be counted twice", config.Name)
		}
	}
	if f.config == nil {
		return nil
	}
	if f.config.DeletionTimestamp != nil {
		return fmt.Errorf("KubevirtConfig %s is being deleted: wait until it is gone, or take another name", a.name)
	}
	if uid := identityOf(f.config); uid != "" && uid != f.identity {
		return fmt.Errorf("KubevirtConfig %s stands for another cluster (%s; this one is %s): take another name",
			a.name, uid, f.identity)
	}
	return nil
}

// identityOf is the cluster that a KubevirtConfig stands for, "" where it was never reached.
func identityOf(config *vitistackv1alpha1.KubevirtConfig) string {
	return cmp.Or(config.Status.ClusterUID, config.Annotations[vitistackv1alpha1.AnnotationClusterUID])
}

// lookRemote asks for the caller's rights first, and then for KubeVirt and what is there.
func (a *addition) lookRemote(ctx context.Context, f *findings) (err error) {
	var more [][]byte
	if a.moves {
		more = append(more, rbac.Moves, rbac.Readiness)
	}
	if a.guest {
		more = append(more, rbac.Guest)
	}
	if f.access, err = access(more...); err != nil {
		return err
	}
	f.account = account(f.access)
	if err := demand(ctx, f.remote, "the remote cluster", toLetIn(f.account.Namespace)); err != nil {
		return err
	}
	given, err := rules(f.access)
	if err != nil {
		return err
	}
	f.rights = rightsOf(given)
	seen, err := kubevirt.Look(ctx, f.remote)
	switch {
	case err != nil:
		return fmt.Errorf("the remote cluster: %s: %w", seen.Message, err)
	case !seen.Installed:
		return fmt.Errorf("%s: install it in the remote cluster first", seen.Message)
	}
	f.kubevirt = strings.TrimSpace("KubeVirt " + seen.Version)
	if !seen.Ready {
		f.kubevirt += " (" + seen.Message + ")"
	}
	return inspect(ctx, f.remote, f.access)
}

// lookSupervisor looks for the Secret and the KubevirtConfig of the name, and tries a credential
// that is there.
func (a *addition) lookSupervisor(ctx context.Context, f *findings) error {
	f.secretKey = client.ObjectKey{Namespace: f.supervisor.Namespace, Name: a.name + "-kubeconfig"}
	if f.config != nil {
		namespace, name := f.config.KubeconfigSecret()
		f.secretKey = client.ObjectKey{Namespace: cmp.Or(namespace, f.secretKey.Namespace), Name: name}
	}
	needed := toRegister(f.secretKey.Namespace, f.supervisor.Key("").Namespace)
	if err := demand(ctx, f.supervisor, "the supervisor", needed); err != nil {
		return err
	}
	err := f.supervisor.Get(ctx, client.ObjectKey{Name: f.secretKey.Namespace}, &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
	})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the supervisor has no namespace %s: install the operator first, or say --configs-namespace",
			f.secretKey.Namespace)
	}
	f.secret = &corev1.Secret{}
	if err := f.supervisor.Get(ctx, f.secretKey, f.secret); err != nil {
		f.secret = nil
		return client.IgnoreNotFound(err)
	}
	if f.config == nil && f.secret.Labels[labelManagedBy] != managedBy {
		return fmt.Errorf("the supervisor has a Secret %s that no KubevirtConfig of this name refers to and that was not "+
			"made by this command: delete it, or take another name", f.secretKey)
	}
	f.current = f.secret.Data[vitistackv1alpha1.KubeconfigSecretKey]
	if err := proven(ctx, f.current, f.identity, f.rights); err == nil {
		f.credentialWorks = a.server == "" || serverOf(f.current) == f.kubeconfig.server()
		return nil
	}
	if serverOf(f.current) == f.kubeconfig.server() && accepted(ctx, f.current, f.rights) {
		f.credentialWorks = true // it lacks rights that are made now
		return nil
	}
	return f.known()
}

// known refuses a KubevirtConfig of the name that leads elsewhere, where no cluster ever answered:
// which one it stands for is not known.
func (f *findings) known() error {
	if f.config == nil || identityOf(f.config) != "" || len(f.current) == 0 {
		return nil
	}
	if there := serverOf(f.current); there != f.kubeconfig.server() {
		return fmt.Errorf("KubevirtConfig %s leads to %s, and no cluster has ever answered there: delete it, or take "+
			"another name", f.name, there)
	}
	return nil
}

// secretState says what becomes of the Secret.
func (f *findings) secretState() state {
	switch {
	case f.secret == nil:
		return absent
	case !f.credentialWorks:
		return differs
	}
	return asItIs
}

// configState says what becomes of the KubevirtConfig.
func (f *findings) configState() state {
	switch {
	case f.config == nil:
		return absent
	case identityOf(f.config) == "":
		return differs
	}
	return asItIs
}

// nameOf is a key as people write it.
func nameOf(key client.ObjectKey) string {
	if key.Namespace == "" {
		return key.Name
	}
	return key.String()
}
