package integration

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

func TestConnects(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.must(east.admin.Create(t.Context(), f.configMap("before")))
	f.config("east", f.admin(east, east.Addr()))
	state := f.connects("east")

	var kubeSystem corev1.Namespace
	f.must(east.admin.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, &kubeSystem))
	want := clientmgr.State{
		Config: "east", Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, Message: "connected",
		Since:     state.Since,
		ConfigUID: state.ConfigUID, RememberedUID: string(kubeSystem.UID), ClusterUID: string(kubeSystem.UID),
		IdentityVerified: metav1.ConditionTrue, KubernetesVersion: "v1.37.2", RightsChecked: true,
		CredentialExpires: state.CredentialExpires,
	}
	if left := time.Until(state.CredentialExpires); left <= 0 || left > 2*time.Hour { // that of the token
		t.Errorf("the credential is said to end in %s", left)
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("state: -want +got:\n%s", diff)
	}

	remote := f.client("east")
	f.must(remote.Create(t.Context(), f.configMap("after")))
	f.sees("east", "before")
	f.sees("east", "after")
	unlabelled := f.configMap("unlabelled")
	unlabelled.Labels = nil
	f.must(remote.Create(t.Context(), unlabelled))
	if err := remote.Get(t.Context(), client.ObjectKeyFromObject(unlabelled),
		&corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Errorf("the cache is limited by label: want NotFound, got %v", err)
	}
	live, err := f.Live("east")
	f.must(err)
	f.must(live.Get(t.Context(), client.ObjectKeyFromObject(unlabelled), &corev1.ConfigMap{}))
	f.must(remote.Get(t.Context(), client.ObjectKey{Name: f.namespace}, &corev1.Namespace{})) // not declared: live
	f.must(f.ValidateConnection(t.Context(), "east"))
	if diff := cmp.Diff(map[string]error{}, f.HealthCheck(t.Context())); diff != "" {
		t.Errorf("health: -want +got:\n%s", diff)
	}
	eventually.Eventually(t, time.Minute, "a probe was measured", eventually.True(func() bool {
		took, found := f.ProbeDuration("east")
		return found && took > 0 && took < time.Minute
	}))
	if took, found := f.ProbeDuration("nowhere"); found || took != 0 {
		t.Errorf("a probe of an unknown cluster took %s", took)
	}
	var held corev1.ConfigMap
	f.must(remote.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "before"}, &held))
	if held.ManagedFields != nil {
		t.Error("the cache holds managedFields")
	}
}

func TestConfigNotFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.config("east", f.admin(east, east.Addr()))
	f.connects("east")
	_, err := f.GetClientForConfig(t.Context(), "nowhere")
	if !errors.Is(err, clientmgr.ErrConfigNotFound) {
		t.Errorf("want ErrConfigNotFound, got %v", err)
	}
	if diff := cmp.Diff("KubevirtConfig nowhere not found in namespace "+f.namespace, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
