package lifelong

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestUserDataBytes: user data that is no text arrives in the guest byte by byte.
func TestUserDataBytes(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write([]byte("#cloud-config\nhostname: web\npackages: [qemu-guest-agent]\n")); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	l := begin(t, east, "user-data-bytes", func(m *vitistackv1alpha1.Machine) {
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserDataBase64: base64.StdEncoding.EncodeToString(
			packed.Bytes())}
	})
	l.untilReady()
	for _, volume := range l.vm().Spec.Template.Spec.Volumes {
		if volume.CloudInitNoCloud == nil {
			continue
		}
		if diff := cmp.Diff(packed.Bytes(), l.userData(volume.CloudInitNoCloud)); diff != "" {
			t.Errorf("user data -want +got:\n%s", diff)
		}
		return
	}
	t.Error("the VirtualMachine has no cloud-init volume")
}

// userData is what the guest reads.
func (l *life) userData(source *kubevirtv1.CloudInitNoCloudSource) []byte {
	l.t.Helper()
	switch {
	case source.UserDataBase64 != "":
		data, err := base64.StdEncoding.DecodeString(source.UserDataBase64)
		if err != nil {
			l.t.Fatal(err)
		}
		return data
	case source.UserDataSecretRef != nil:
		secret := &corev1.Secret{}
		if !l.exists(secret, source.UserDataSecretRef.Name) {
			l.t.Fatalf("there is no Secret %s", source.UserDataSecretRef.Name)
		}
		return secret.Data["userdata"]
	default:
		return []byte(source.UserData)
	}
}

// TestUserDataTooLarge: what no Secret can hold is refused before anything is made.
func TestUserDataTooLarge(t *testing.T) {
	t.Parallel()
	l := begin(t, east, "user-data-too-large", func(m *vitistackv1alpha1.Machine) {
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n#" + strings.Repeat("x", 1_150_000)}
	})
	l.untilCondition(vitistackv1alpha1.ConditionReady, "False/"+vitistackv1alpha1.ReasonUserDataTooLarge,
		"Secret holds at most")
	if l.vm() != nil {
		t.Error("a VirtualMachine was made, which waits for its Secret for ever")
	}
	l.remove()
	l.untilGone()
}

// TestGuestNotReady: while KubeVirt says that an instance is not ready, as in the first minutes of
// a lost node, the Machine is not ready.
func TestGuestNotReady(t *testing.T) {
	t.Parallel()
	l := begin(t, east, "guest-not-ready", nil)
	l.untilReady()
	pods := &corev1.PodList{}
	if err := l.remote().List(t.Context(), pods, client.InNamespace(l.key.Namespace)); err != nil || len(pods.Items) != 1 {
		t.Fatalf("%d Pods, want the launcher: %v", len(pods.Items), err)
	}
	patch := client.RawPatch("application/strategic-merge-patch+json",
		[]byte(`{"status":{"conditions":[{"type":"Ready","status":"False","reason":"NodeLost"}]}}`))
	if err := l.remote().Status().Patch(t.Context(), &pods.Items[0], patch); err != nil {
		t.Fatal(err)
	}
	l.untilCondition(vitistackv1alpha1.ConditionReady, "False/"+vitistackv1alpha1.ReasonGuestNotReady, "")
}

// TestSpecRunning: a VirtualMachine that was made with spec.running is stopped, started and changed
// by its Machine.
func TestSpecRunning(t *testing.T) {
	t.Parallel()
	const name = "spec-running"
	newNamespace(t, name)
	remoteNamespace(t, east, name)
	createYAML(t, world.remote[east], `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: spec-running, namespace: spec-running}
spec:
  running: true
  template:
    spec:
      domain: {cpu: {cores: 1}, memory: {guest: 1Gi}, devices: {disks: [{name: c, disk: {bus: virtio}}], interfaces: [{name: default, masquerade: {}}]}}
      networks: [{name: default, pod: {}}]
      volumes: [{name: c, containerDisk: {image: registry.example.com/fedora}}]`)
	legacy := &kubevirtv1.VirtualMachine{}
	if err := world.remote[east].Get(t.Context(), client.ObjectKey{Namespace: name, Name: name}, legacy); err != nil {
		t.Fatal(err)
	}
	l := beginIn(t, east, name, name, func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationAdopt] = east + "/" + string(legacy.UID)
	})
	l.untilReady()
	l.halt()
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1536 << 20 })
	l.untilMemory("1536Mi")
	l.resume()
}

// TestInstancetypeIsGiven: a Machine that runs changes from sizes of its own to an instancetype.
func TestInstancetypeIsGiven(t *testing.T) {
	t.Parallel()
	createYAML(t, world.remote[east], `apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachineClusterInstancetype
metadata: {name: u1.small}
spec: {cpu: {guest: 1}, memory: {guest: 2Gi}}`)
	l := begin(t, east, "instancetype-given", nil)
	l.untilReady()
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationInstancetype] = "u1.small"
		m.Spec.InstanceType = ""
	})
	l.until("the VirtualMachine has the instancetype", func(*vitistackv1alpha1.Machine) error {
		vm := l.vm()
		if vm.Spec.Instancetype == nil || vm.Spec.Instancetype.Name != "u1.small" || memory(vm) != "" {
			return fmt.Errorf("instancetype %+v, memory %q", vm.Spec.Instancetype, memory(vm))
		}
		return nil
	})
	l.until("the change waits for a restart and says so", func(m *vitistackv1alpha1.Machine) error {
		for _, c := range m.Status.GetConditions() {
			if c.Reason == vitistackv1alpha1.ReasonRestartRequired || strings.Contains(strings.ToLower(c.Message), "restart") {
				return nil
			}
		}
		return errors.New("nothing tells of a restart")
	})
	l.halt()
	l.resume()
}

// TestRefusedPartHoldsUpNoStop: a policy refuses more memory, and the stop that the Machine asks
// for with it is carried out.
func TestRefusedPartHoldsUpNoStop(t *testing.T) {
	t.Parallel()
	const name = "part-refused"
	l := begin(t, east, name, nil)
	l.untilReady()
	createYAML(t, world.remote[east], `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: part-refused}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: part-refused}}
    resourceRules: [{apiGroups: [kubevirt.io], apiVersions: ["*"], operations: [UPDATE], resources: [virtualmachines]}, {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  validations: [{expression: "request.kind.kind != 'ConfigMap' && object.spec.template.spec.domain.memory.guest == oldObject.spec.template.spec.domain.memory.guest", message: memory is not for sale}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: part-refused}
spec: {policyName: part-refused, validationActions: [Deny]}`)
	eventually.Eventually(t, patience, "the policy works", func(ctx context.Context) error {
		return refusedConfigMap(ctx, world.remote[east], name)
	})
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Spec.Memory = 1536 << 20
		m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted
	})
	l.until("the guest is off", func(*vitistackv1alpha1.Machine) error {
		if l.exists(&kubevirtv1.VirtualMachineInstance{}, name) {
			return errors.New("the instance is there")
		}
		return nil
	})
	l.until("the refusal is told", func(m *vitistackv1alpha1.Machine) error {
		return tells(m, vitistackv1alpha1.ConditionReady, "memory is not for sale")
	})
}

// TestMutatingPolicy: a policy that takes the operator's annotation off and forces an amount of
// memory is not fought.
func TestMutatingPolicy(t *testing.T) {
	t.Parallel()
	const name = "mutating-policy"
	l := begin(t, east, name, nil)
	l.untilReady()
	createYAML(t, world.remote[east], `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: mutating-policy}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mutating-policy}}
    resourceRules: [{apiGroups: [kubevirt.io], apiVersions: ["*"], operations: [UPDATE], resources: [virtualmachines]}]
  matchConditions: [{name: annotated, expression: "has(object.metadata.annotations) && 'vitistack.io/applied-wish' in object.metadata.annotations"}]
  mutations:
  - patchType: JSONPatch
    jsonPatch: {expression: '[JSONPatch{op: "remove", path: "/metadata/annotations/vitistack.io~1applied-wish"}, JSONPatch{op: "replace", path: "/spec/template/spec/domain/memory/guest", value: "1Gi"}]'}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: mutating-policy}
spec: {policyName: mutating-policy}`)
	begun := metav1.Now().Time
	// The test's own patches go on until the policy works: only then the annotation is taken off.
	eventually.Eventually(t, patience, "the policy works", func(context.Context) error {
		l.editVM(func(vm *kubevirtv1.VirtualMachine) {
			metav1.SetMetaDataAnnotation(&vm.ObjectMeta, "example.com/touched",
				fmt.Sprint(len(vm.Annotations), vm.ResourceVersion))
		})
		if _, found := l.vm().Annotations[vitistackv1alpha1.AnnotationAppliedWish]; found {
			return errors.New("the annotation is there")
		}
		return nil
	})
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1536 << 20 })
	var last int
	quiet := metav1.Now().Time
	eventually.Eventually(t, patience, "the operator rests for 15 s", func(context.Context) error {
		cluster, err := world.fleet.Cluster(east)
		if err != nil {
			return err
		}
		calls, err := audit.Read(cluster.ControlPlane.AuditLog(), audit.Filter{
			User: fleet.OperatorUser, Namespace: name, Resource: "virtualmachines", Writes: true, Since: begun,
		})
		if err != nil {
			return err
		}
		now := metav1.Now().Time
		if len(calls) != last {
			last, quiet = len(calls), now
		}
		if now.Sub(quiet).Seconds() < 15 {
			return fmt.Errorf("%d writes", last)
		}
		return nil
	})
	if last > maxAttempts {
		t.Errorf("%d writes of the VirtualMachine, want at most %d", last, maxAttempts)
	}
}
