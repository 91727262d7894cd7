package onfleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// patience is for one thing that is waited for, on a loaded machine.
const patience = time.Minute

const (
	east = "cluster-east"
	west = "cluster-west"
)

// world is what the tests on real clusters share: nobody but the test writes to it.
var world struct {
	fleet *fleet.Fleet
	// person and operator are clients of each cluster: the administrator's, and one that may do
	// everything under the operator's name.
	person, operator map[string]client.Client
	// identity is the UID of each cluster.
	identity map[string]string
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	world.fleet, err = fleet.Start(context.Background(), fleet.Options{Remotes: 2, KubeVirt: kubevirt.Light, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, kubevirtv1.AddToScheme, vitistackv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return 1, err
		}
	}
	world.person, world.operator = map[string]client.Client{}, map[string]client.Client{}
	world.identity = map[string]string{}
	for _, c := range world.fleet.Clusters() {
		user := controlplane.User{Name: fleet.OperatorUser, Groups: controlplane.Admin.Groups}
		villain, err := c.ControlPlane.ConfigFor(user)
		if err != nil {
			return 1, err
		}
		if world.operator[c.Name], err = client.New(villain, client.Options{Scheme: scheme}); err != nil {
			return 1, err
		}
		if world.person[c.Name], err = client.New(c.ControlPlane.Config(), client.Options{Scheme: scheme}); err != nil {
			return 1, err
		}
		system := &corev1.Namespace{}
		key := client.ObjectKey{Name: metav1.NamespaceSystem}
		if err := world.person[c.Name].Get(context.Background(), key, system); err != nil {
			return 1, err
		}
		world.identity[c.Name] = string(system.UID)
	}
	return m.Run(), nil
}
