package lifelong

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// maxAttempts is how often anything may be asked about one Machine in the first minute of a
// refusal. A back-off of 1, 2, 4, 8, 16 and 32 seconds makes seven attempts.
const maxAttempts = 8

// refusal is a way in which a cluster does not do what a Machine asks.
type refusal struct {
	reason string
	// refuse sets it up for a namespace of the name.
	refuse func(t *testing.T, namespace string)
	// changed says that the Machine runs before, and then asks for more memory.
	changed bool
	// deleted says that the Machine runs before, and is then deleted.
	deleted bool
	// condition must become False or Unknown, and Ready not True, with the server's text.
	condition, text string
	// lift takes the refusal away; nil where the test does not go on.
	lift func(t *testing.T, namespace string)
}

// TestRefusals: whatever refuses, the Machine says so in the server's own words within a minute, a
// Warning Event says it too, and in the first minute each call is made at most eight times. The
// refusals stand side by side, so that the minute is spent once.
func TestRefusals(t *testing.T) {
	t.Parallel()
	vmReady, networkReady := vitistackv1alpha1.ConditionVirtualMachineReady, vitistackv1alpha1.ConditionNetworkReady
	cases := map[string]refusal{
		"policy-create": {
			reason:    "a policy of the remote cluster wants a label that the VirtualMachine does not have",
			refuse:    policyFor(east, "CREATE", "kubevirt.io", "virtualmachines"),
			condition: vmReady, text: "this namespace is closed",
			lift: withoutPolicy(east),
		},
		"quota-create": {
			reason:    "a quota of the remote namespace allows no VirtualMachine",
			refuse:    quotaFor(east, "count/virtualmachines.kubevirt.io"),
			condition: vmReady, text: "exceeded quota",
			lift: withoutQuota(east),
		},
		"terminating-create": {
			reason:    "the remote namespace is being deleted and an object in it cannot go",
			refuse:    terminate,
			condition: vmReady, text: "because it is being terminated",
		},
		"webhook-closed-create": {
			reason:    "nothing listens where the remote cluster's webhook should be",
			refuse:    webhookFor(east, "CREATE", closed),
			condition: vmReady, text: "connection refused",
			lift: withoutWebhook(east),
		},
		"webhook-hangs-create": {
			reason:    "the remote cluster's webhook takes calls and never answers them",
			refuse:    webhookFor(east, "CREATE", hanging),
			condition: vmReady, text: "admission webhooks may hang",
			lift: withoutWebhook(east),
		},
		"policy-attachment": {
			reason: "a policy of the remote cluster refuses the NetworkAttachmentDefinition",
			refuse: func(t *testing.T, namespace string) {
				policyFor(east, "CREATE", "k8s.cni.cncf.io", "network-attachment-definitions")(t, namespace)
				newNetwork(t, namespace, "lan", 20)
			},
			condition: networkReady, text: "this namespace is closed",
			lift: withoutPolicy(east),
		},
		"policy-supervisor": {
			reason:    "a policy of the supervisor refuses the operator's record in the Machine",
			refuse:    policyFor(fleet.Supervisor, "UPDATE", "vitistack.io", "machines"),
			condition: vitistackv1alpha1.ConditionReady, text: "this namespace is closed",
			lift: withoutPolicy(fleet.Supervisor),
		},
		"webhook-closed-supervisor": {
			reason:    "nothing listens where the supervisor's webhook for Machines should be",
			refuse:    webhookFor(fleet.Supervisor, "UPDATE", closed),
			condition: vitistackv1alpha1.ConditionReady, text: "connection refused",
			lift: withoutWebhook(fleet.Supervisor),
		},
		"quota-addresses": {
			reason: "a quota of the supervisor's namespace allows no NetworkConfiguration",
			refuse: func(t *testing.T, namespace string) {
				quotaFor(fleet.Supervisor, "count/networkconfigurations.vitistack.io")(t, namespace)
				newNetwork(t, namespace, "lan", 20)
			},
			condition: networkReady, text: "exceeded quota",
			lift: withoutQuota(fleet.Supervisor),
		},
		"policy-change": {
			reason:    "a policy of the remote cluster refuses changes of a VirtualMachine that runs",
			refuse:    policyFor(east, "UPDATE", "kubevirt.io", "virtualmachines"),
			changed:   true,
			condition: vmReady, text: "this namespace is closed",
			lift: withoutPolicy(east),
		},
		"webhook-closed-change": {
			reason:    "nothing listens where the remote cluster's webhook should be, and a Machine that runs asks for more memory",
			refuse:    webhookFor(east, "UPDATE", closed),
			changed:   true,
			condition: vmReady, text: "connection refused",
			lift: withoutWebhook(east),
		},
		"webhook-hangs-change": {
			reason:    "the remote cluster's webhook never answers, and a Machine that runs asks for more memory",
			refuse:    webhookFor(east, "UPDATE", hanging),
			changed:   true,
			condition: vmReady, text: "admission webhooks may hang",
			lift: withoutWebhook(east),
		},
		"policy-delete": {
			reason:    "a policy of the remote cluster protects the VirtualMachine of a Machine that is deleted",
			refuse:    policyFor(east, "DELETE", "kubevirt.io", "virtualmachines"),
			deleted:   true,
			condition: vitistackv1alpha1.ConditionReady, text: "this namespace is closed",
			lift: withoutPolicy(east),
		},
		"webhook-closed-delete": {
			reason:    "nothing listens where the remote cluster's webhook should be, and a Machine is deleted",
			refuse:    webhookFor(east, "DELETE", closed),
			deleted:   true,
			condition: vitistackv1alpha1.ConditionReady, text: "connection refused",
			lift: withoutWebhook(east),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, name)
		})
	}
}

func (r refusal) run(t *testing.T, name string) {
	t.Helper()
	newNamespace(t, name)
	if !r.changed && !r.deleted {
		r.refuse(t, name)
	}
	begun := time.Now()
	l := beginIn(t, east, name, name, nil)
	if r.changed || r.deleted {
		l.untilReady()
		r.refuse(t, name)
		begun = time.Now()
	}
	if r.changed {
		l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1536 << 20 })
	}
	if r.deleted {
		l.remove()
	}
	l.until("the refusal is told", func(m *vitistackv1alpha1.Machine) error { return r.told(m) })
	if took := time.Since(begun); took > 90*time.Second {
		t.Errorf("%s: it was told after %s, want within a minute", r.reason, took)
	}
	r.untilEvent(l)
	end := begun.Add(time.Minute)
	eventually.Eventually(t, patience, "the minute is over", eventually.True(func() bool { return time.Now().After(end) }))
	l.callsAtMost(r.reason, begun, end)
	t.Logf("told: %s; events: %q", conditions(l.read()), warnings(l))
	if err := r.told(l.read()); err != nil {
		t.Errorf("%s: after a minute: %v; %s", r.reason, err, conditions(l.read()))
	}
	if r.lift != nil {
		r.lift(t, name)
		if r.deleted {
			l.untilGone()
			return
		}
		// A person touches the Machine so that the test need not sit the back-off out.
		l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1792 << 20 })
		l.untilMemory("1792Mi")
		if !l.wantsAddresses() {
			l.untilReady()
		}
	}
}

// told says what is missing of the refusal in a Machine's status.
func (r refusal) told(m *vitistackv1alpha1.Machine) error {
	for _, conditionType := range []string{r.condition, vitistackv1alpha1.ConditionReady} {
		c := m.Status.Condition(conditionType)
		if c == nil || c.Status == metav1.ConditionTrue || !strings.Contains(c.Message, r.text) {
			return fmt.Errorf("%s does not tell %q", conditionType, r.text)
		}
	}
	ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
	if strings.Contains(ready.Message, "the right") {
		return errors.New("the message tells of a right, and none is missing")
	}
	info, known := vitistackv1alpha1.InfoOf(ready.Reason)
	if !known || ready.Reason == vitistackv1alpha1.ReasonCreating || ready.Reason == vitistackv1alpha1.ReasonUnreachable {
		return fmt.Errorf("the reason %s (%v) does not tell a refusal", ready.Reason, info.Acts)
	}
	if ready.ObservedGeneration != 0 && m.Status.ObservedGeneration == m.Generation && m.Generation > 1 {
		return errors.New("the status claims a generation that was not applied")
	}
	return nil
}

// untilEvent waits for a Warning Event of the Machine with the server's text.
func (r refusal) untilEvent(l *life) {
	l.t.Helper()
	l.until("a Warning Event tells it", func(*vitistackv1alpha1.Machine) error {
		all := warnings(l)
		for _, text := range all {
			if strings.Contains(text, r.text) {
				return nil
			}
		}
		return fmt.Errorf("the Warnings are %q", all)
	})
}

// warnings are the texts of the Machine's Warning Events.
func warnings(l *life) []string {
	l.t.Helper()
	list := &corev1.EventList{}
	if err := world.supervisor.List(l.t.Context(), list, client.InNamespace(l.key.Namespace)); err != nil {
		l.t.Fatal(err)
	}
	var texts []string
	for _, event := range list.Items {
		if event.Type == corev1.EventTypeWarning && event.InvolvedObject.Name == l.key.Name {
			texts = append(texts, event.Reason+": "+event.Message)
		}
	}
	return texts
}

// callsAtMost holds each kind of call about the Machine's namespace, on both sides, to maxAttempts.
func (l *life) callsAtMost(reason string, since, until time.Time) {
	l.t.Helper()
	for _, side := range []string{fleet.Supervisor, l.cluster} {
		cluster, err := world.fleet.Cluster(side)
		if err != nil {
			l.t.Fatal(err)
		}
		calls, err := audit.Read(cluster.ControlPlane.AuditLog(), audit.Filter{
			User: fleet.OperatorUser, Namespace: l.key.Namespace, Since: since, Until: until, But: []string{"events"},
		})
		if err != nil {
			l.t.Fatal(err)
		}
		counts := audit.By(calls, func(c audit.Call) string { return c.Verb + " " + c.Kind() })
		if most := counts.Most(); most.Calls > maxAttempts {
			l.t.Errorf("%s: %d calls of one kind in %s within a minute, want at most %d:\n%s", reason, most.Calls, side,
				maxAttempts, counts)
		}
		l.t.Logf("%s: calls in %s within a minute:\n%s", l.key.Name, side, counts)
	}
}

// wantsAddresses says whether the Machine is on a VLAN, where nobody gives addresses in these
// tests.
func (l *life) wantsAddresses() bool { return len(l.attachments()) > 0 }

func clusterClient(name string) client.Client {
	if name == fleet.Supervisor {
		return world.supervisor
	}
	return world.remote[name]
}

// policyFor refuses an operation on a kind in the namespace. It waits until the policy works.
func policyFor(cluster, operation, group, kind string) func(*testing.T, string) {
	return func(t *testing.T, namespace string) {
		t.Helper()
		remoteNamespace(t, cluster, namespace)
		createYAML(t, clusterClient(cluster), fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules: [{apiGroups: [%[3]s], apiVersions: ["*"], operations: [%[2]s], resources: [%[4]s]}, {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  validations: [{expression: "!request.userInfo.username.contains('kubevirt-operator') && request.kind.kind != 'ConfigMap'", message: this namespace is closed}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny]}`, namespace, operation, group, kind))
		eventually.Eventually(t, patience, "the policy works", func(ctx context.Context) error {
			return refusedConfigMap(ctx, clusterClient(cluster), namespace)
		})
	}
}

// refusedConfigMap returns nil once a ConfigMap is refused in the namespace.
func refusedConfigMap(ctx context.Context, c client.Client, namespace string) error {
	probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe"}}
	if err := c.Create(ctx, probe, client.DryRunAll); err != nil {
		return nil
	}
	return errors.New("a ConfigMap is admitted")
}

func withoutPolicy(cluster string) func(*testing.T, string) {
	return func(t *testing.T, namespace string) {
		t.Helper()
		binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		deleteAndWait(t, clusterClient(cluster), binding, func(ctx context.Context) error {
			if refusedConfigMap(ctx, clusterClient(cluster), namespace) == nil {
				return errors.New("the policy still works")
			}
			return nil
		})
	}
}

func deleteAndWait(t *testing.T, c client.Client, object client.Object, over func(context.Context) error) {
	t.Helper()
	if err := c.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the refusal is over", over)
}

// remoteNamespace makes a namespace in a remote cluster. In the supervisor it is there.
func remoteNamespace(t *testing.T, cluster, namespace string) {
	t.Helper()
	if cluster == fleet.Supervisor {
		return
	}
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := client.IgnoreAlreadyExists(world.remote[cluster].Create(t.Context(), object)); err != nil {
		t.Fatal(err)
	}
}

// quotaFor allows none of a kind. No controller of the fleet keeps a quota's status, so it is
// written here.
func quotaFor(cluster string, name corev1.ResourceName) func(*testing.T, string) {
	return func(t *testing.T, namespace string) {
		t.Helper()
		remoteNamespace(t, cluster, namespace)
		none := corev1.ResourceList{name: resource.MustParse("0")}
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none},
		}
		create(t, clusterClient(cluster), quota)
		quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
		if err := clusterClient(cluster).Status().Update(t.Context(), quota); err != nil {
			t.Fatal(err)
		}
	}
}

func withoutQuota(cluster string) func(*testing.T, string) {
	return func(t *testing.T, namespace string) {
		t.Helper()
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "none"}}
		if err := clusterClient(cluster).Delete(t.Context(), quota); err != nil {
			t.Fatal(err)
		}
	}
}

// terminate leaves a remote namespace that is being deleted and cannot go.
func terminate(t *testing.T, namespace string) {
	t.Helper()
	remoteNamespace(t, east, namespace)
	keep := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "keep",
		Finalizers: []string{"example.com/keep"}}}
	create(t, world.remote[east], keep)
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := world.remote[east].Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// address is where a webhook should be, and the certificate that its API server believes.
type address struct {
	url    string
	caCert []byte
}

// closed is an address where nothing listens.
func closed(t *testing.T) address {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return addressOf(server)
}

// hanging is the address of a server that answers nothing.
func hanging(t *testing.T) address {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(ended); server.Close() })
	return addressOf(server)
}

func addressOf(server *httptest.Server) address {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return address{url: server.URL + "/admit", caCert: cert}
}

// webhookFor makes the API server ask a webhook about the VirtualMachines of the namespace. It
// waits until it does.
func webhookFor(
	cluster string, operation admissionv1.OperationType, at func(*testing.T) address,
) func(*testing.T, string) {
	kind := schema.GroupResource{Group: "kubevirt.io", Resource: "virtualmachines"}
	if cluster == fleet.Supervisor {
		kind = schema.GroupResource{Group: "vitistack.io", Resource: "machines"}
	}
	return func(t *testing.T, namespace string) {
		t.Helper()
		remoteNamespace(t, cluster, namespace)
		to := at(t)
		rule := func(groups, resources string, operation admissionv1.OperationType) admissionv1.RuleWithOperations {
			return admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{operation},
				Rule: admissionv1.Rule{APIGroups: []string{groups}, APIVersions: []string{"*"},
					Resources: []string{resources}},
			}
		}
		webhook := func(name string, seconds int32, rule admissionv1.RuleWithOperations) admissionv1.ValidatingWebhook {
			return admissionv1.ValidatingWebhook{
				Name: name, SideEffects: ptr.To(admissionv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
				ClientConfig:      admissionv1.WebhookClientConfig{URL: &to.url, CABundle: to.caCert},
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
				Rules:             []admissionv1.RuleWithOperations{rule}, TimeoutSeconds: &seconds,
			}
		}
		create(t, clusterClient(cluster), &admissionv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: namespace},
			Webhooks: []admissionv1.ValidatingWebhook{
				webhook("machines.example.com", 10, rule(kind.Group, kind.Resource, operation)),
				webhook("probe.example.com", 1, rule("", "configmaps", admissionv1.Create)),
			},
		})
		eventually.Eventually(t, patience, "the webhook is asked", func(ctx context.Context) error {
			return refusedConfigMap(ctx, clusterClient(cluster), namespace)
		})
	}
}

func withoutWebhook(cluster string) func(*testing.T, string) {
	return func(t *testing.T, namespace string) {
		t.Helper()
		webhook := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		deleteAndWait(t, clusterClient(cluster), webhook, func(ctx context.Context) error {
			if refusedConfigMap(ctx, clusterClient(cluster), namespace) == nil {
				return errors.New("the webhook is still asked")
			}
			return nil
		})
	}
}
