package startup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kubeVirtCRD is the definition that KubeVirt's operator comes with.
const kubeVirtCRD = "kubevirts.kubevirt.io"

// checkKubeVirt looks at the cluster's KubeVirt objects: KubeVirt's operator writes there how far the installation has come.
func checkKubeVirt(ctx context.Context, live client.Reader, config string) Result {
	result := Result{Check: KubeVirt, Config: config}
	var list kubevirtv1.KubeVirtList
	if err := live.List(ctx, &list); err != nil {
		result.Verdict, result.Message, result.Reason = Unknown, "KubeVirt could not be checked", reasonOf(err)
		if lacksKubeVirt(ctx, live) {
			result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not installed", "the CRD "+kubeVirtCRD+" is missing"
		}
		return result
	}
	if len(list.Items) == 0 {
		result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not installed", "there is no KubeVirt object"
		return result
	}
	slices.SortFunc(list.Items, func(a, b kubevirtv1.KubeVirt) int {
		return strings.Compare(client.ObjectKeyFromObject(&a).String(), client.ObjectKeyFromObject(&b).String())
	})
	for i := range list.Items {
		reason := stopped(&list.Items[i])
		if reason == "" {
			return Result{Check: KubeVirt, Config: config, Message: "KubeVirt is running", Version: list.Items[i].Status.ObservedKubeVirtVersion}
		}
		if i == 0 {
			result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not running", reason
		}
	}
	return result
}

// lacksKubeVirt reports whether the server says itself that it does not know KubeVirt. A list that fails proves nothing.
func lacksKubeVirt(ctx context.Context, live client.Reader) bool {
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	return apierrors.IsNotFound(live.Get(ctx, client.ObjectKey{Name: kubeVirtCRD}, crd))
}

// stopped says why a KubeVirt is not running; "" where it is.
func stopped(kv *kubevirtv1.KubeVirt) string {
	if !kv.DeletionTimestamp.IsZero() {
		return "it is being deleted"
	}
	if kv.Status.Phase != kubevirtv1.KubeVirtPhaseDeployed {
		return fmt.Sprintf("its phase is %q", kv.Status.Phase)
	}
	for _, condition := range kv.Status.Conditions {
		if condition.Type == kubevirtv1.KubeVirtConditionAvailable && condition.Status == corev1.ConditionFalse {
			return "it is not available: " + condition.Reason
		}
	}
	return ""
}
