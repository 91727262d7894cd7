package monitoring

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// createMachine makes a Machine that asks for a cluster.
func createMachine(ctx context.Context, namespace, name, config string) error {
	return supervisor().Create(ctx, &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config},
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	})
}

// running waits until a Machine runs.
func running(ctx context.Context, namespace, name string) error {
	return until(ctx, name+" runs", func(ctx context.Context) error {
		machine := &vitistackv1alpha1.Machine{}
		if err := supervisor().Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, machine); err != nil {
			return err
		}
		if machine.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
			return fmt.Errorf("it is %q: %s", machine.Status.Phase, machine.Status.Message)
		}
		return nil
	})
}

// createNamespace makes one in the supervisor. The operator makes it in remote clusters.
func createNamespace(ctx context.Context, name string) error {
	return supervisor().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// give writes a kubeconfig for a cluster into the Secret of a KubevirtConfig, with a new token that
// lasts for a number of seconds.
func give(ctx context.Context, config, cluster string, seconds int64) error {
	of := remote(cluster)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: own, Name: own}}
	if err := of.Client().SubResource("token").Create(ctx, account, request); err != nil {
		return err
	}
	kubeconfig, err := controlplane.Kubeconfig{
		Cluster: cluster, User: own, Server: "https://" + of.Proxy.Addr(), CA: of.ControlPlane.ServingCA(),
		Token: request.Status.Token,
	}.Bytes()
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(config)}
	return edit(ctx, supervisor(), key, secret, func() error {
		secret.Data[vitistackv1alpha1.KubeconfigSecretKey] = kubeconfig
		return nil
	})
}

// edit reads an object, changes it and patches it.
func edit(ctx context.Context, c client.Client, key client.ObjectKey, object client.Object, change func() error) error {
	if err := c.Get(ctx, key, object); err != nil {
		return err
	}
	before := object.DeepCopyObject().(client.Object)
	if err := change(); err != nil {
		return err
	}
	return c.Patch(ctx, object, client.MergeFrom(before))
}

// foreign is an object of a kind that is not in the clients' schemes.
func foreign(apiVersion, kind string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	return object
}

// refusal is a policy by which a cluster refuses some writes in one namespace.
type refusal struct {
	cluster         *fleet.Cluster
	namespace       string
	group, resource string
	operation       string
}

const policyAPI = "admissionregistration.k8s.io/v1"

func (r refusal) objects() []*unstructured.Unstructured {
	policy, binding := foreign(policyAPI, "ValidatingAdmissionPolicy"), foreign(policyAPI, "ValidatingAdmissionPolicyBinding")
	policy.SetName("refuse-" + r.namespace)
	binding.SetName("refuse-" + r.namespace)
	policy.Object["spec"] = map[string]any{
		"failurePolicy": "Fail",
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{r.group}, "apiVersions": []any{"*"}, "operations": []any{r.operation},
			"resources": []any{r.resource},
		}}},
		"validations": []any{map[string]any{
			"expression": fmt.Sprintf("request.namespace != %q", r.namespace), "message": "not today",
		}},
	}
	binding.Object["spec"] = map[string]any{"policyName": policy.GetName(), "validationActions": []any{"Deny"}}
	return []*unstructured.Unstructured{policy, binding}
}

func (r refusal) begin(ctx context.Context) error {
	for _, object := range r.objects() {
		if err := r.cluster.Client().Create(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (r refusal) end(ctx context.Context) error {
	for _, object := range r.objects() {
		if err := r.cluster.Client().Delete(ctx, object); err != nil {
			return err
		}
	}
	return nil
}
