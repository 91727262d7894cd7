package deployment

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestRights asks an API server what the service account of deploy/supervisor may do, with and
// without the rights to claims and those of the Fleet page.
func TestRights(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	admin := as(t, plane, controlplane.Admin)
	apply(t, admin, rendered(t, "deploy/supervisor"))
	own := as(t, plane, operator)
	allowed := func(verb, group, resource, namespace, name string) bool {
		t.Helper()
		review := &authorizationv1.SelfSubjectAccessReview{}
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: verb, Group: group, Resource: resource, Namespace: namespace, Name: name,
		}
		if err := own.Create(t.Context(), review); err != nil {
			t.Fatal(err)
		}
		return review.Status.Allowed
	}
	const lease = "09393f52.vitistack.io"
	cases := map[string]struct {
		reason                                 string
		verb, group, resource, namespace, name string
		want                                   bool
	}{
		"OwnLease": {
			reason: "A replica takes over the lease that is there.",
			verb:   "update", group: "coordination.k8s.io", resource: "leases", namespace: "kubevirt-operator", name: lease,
			want: true,
		},
		"OtherLease": {
			reason: "The lease of another program is none of the operator's business.",
			verb:   "update", group: "coordination.k8s.io", resource: "leases", namespace: "kubevirt-operator", name: "other",
		},
		"Debts": {
			reason: "Debts are written into their ConfigMap.",
			verb:   "patch", resource: "configmaps", namespace: "kubevirt-configs", name: "vitistack-debts",
			want: true,
		},
		"OtherConfigMap": {
			reason: "Another ConfigMap beside it is not the operator's to change.",
			verb:   "patch", resource: "configmaps", namespace: "kubevirt-configs", name: "kube-root-ca.crt",
		},
		"Claims": {
			reason: "Claims of the supervisor are nobody's but their owners', until a flag says that virtual machines' disks are there.",
			verb:   "delete", resource: "persistentvolumeclaims", namespace: "tenants", name: "data",
		},
		"People": {
			reason: "Who somebody is, is nobody's business until the Fleet page is served.",
			verb:   "create", group: "authentication.k8s.io", resource: "tokenreviews",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := allowed(tc.verb, tc.group, tc.resource, tc.namespace, tc.name); got != tc.want {
				t.Errorf("%s It may %s %s %s: %t", tc.reason, tc.verb, tc.resource, tc.name, got)
			}
		})
	}
	t.Run("LegacyClaims", func(t *testing.T) {
		objects := rendered(t, "testkit/deployment/testdata/legacy-claims")
		apply(t, admin, objects)
		until(t, "the right to claims is not given", unless(func() bool {
			return allowed("delete", "", "persistentvolumeclaims", "tenants", "data")
		}))
		for _, object := range objects {
			deployment := &appsv1.Deployment{}
			if object.GetKind() != "Deployment" {
				continue
			}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, deployment); err != nil {
				t.Fatal(err)
			}
			args := deployment.Spec.Template.Spec.Containers[0].Args
			if !slices.Contains(args, "--legacy-supervisor-claims=true") || !slices.Contains(args, "--leader-elect") {
				t.Errorf("The flag goes with the right, and the others stay, got %s", strings.Join(args, " "))
			}
		}
	})
	t.Run("Page", func(t *testing.T) {
		apply(t, admin, rendered(t, "testkit/deployment/testdata/page"))
		for group, resource := range map[string]string{"authentication.k8s.io": "tokenreviews",
			"authorization.k8s.io": "subjectaccessreviews"} {
			until(t, "the right to ask with "+resource+" is not given", unless(func() bool {
				return allowed("create", group, resource, "", "")
			}))
		}
	})
}
