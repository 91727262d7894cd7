package journeys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/canary"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// birds has what the test of canaries knows: the canaries, and what the operator left behind.
type birds struct {
	*traveller
	flock    canary.Flock
	operator *operator.Process
	page     page
	// said is what commands printed, by the command.
	said map[string]string
}

// TestCanaries: nothing of any Secret is in anything that the operator says, whatever happens to a
// Machine: created, refused by a cluster that repeats what it refuses, adopted, moved, restarted, rolled
// out; whatever is wrong with a kubeconfig; and however the operator ends.
func TestCanaries(t *testing.T) {
	b := &birds{traveller: &traveller{t: t, key: client.ObjectKey{Namespace: "canaries", Name: "canary"}, marks: map[string]string{}},
		flock: canary.Flock{}, said: map[string]string{}}
	b.credentials()
	b.startOperator()
	b.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.key.Namespace}})
	b.adopts() // while every cluster answers
	b.brokenKubeconfigs()
	b.refusal(east, "Secret vm-canary-cloudinit", func() { b.arrives() })
	b.runsIn(east)
	b.rotatesToABrokenOne()
	b.refusal(west, "what the disks are fetched with", func() { b.moveTo(west); b.exportToken("refused") })
	b.tells(vitistackv1alpha1.MovePhaseFailed, vitistackv1alpha1.ReasonRejected)
	b.runsIn(east)
	slowly(t, east, b.key.Namespace) // so that its token is seen
	b.moveTo(west)
	b.exportToken("whole")
	serve(t, east, noFault)
	b.tells(vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved)
	b.runsIn(west)
	b.restarts()

	b.look()
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		if err := errors.Join(b.operator.Crash(signal), b.operator.Start()); err != nil {
			t.Fatal(err)
		}
		b.connected(west)
	}
	b.search()
}

// plant makes a canary.
func (b *birds) plant(what string) string {
	text := fmt.Sprintf("Canary-%x-of-%s", len(b.flock)*7919+0x5d1f0c77, strings.ReplaceAll(what, " ", "-"))
	b.flock[what] = []byte(text)
	return text
}

// credentials are canaries that the fleet has made: the tokens and keys of all kubeconfigs.
func (b *birds) credentials() {
	b.t.Helper()
	for _, remote := range world.fleet.Remotes {
		kubeconfig, err := clientcmd.Load(b.kubeconfig(remote.Name).Data[vitistackv1alpha1.KubeconfigSecretKey])
		if err != nil {
			b.t.Fatal(err)
		}
		for _, user := range kubeconfig.AuthInfos {
			if user.Token != "" {
				b.flock["token of "+remote.Name] = []byte(user.Token)
			}
			if len(user.ClientKeyData) > 0 {
				b.flock["key of "+remote.Name] = user.ClientKeyData
			}
		}
	}
	if len(b.flock) < len(world.fleet.Remotes) {
		b.t.Fatalf("the kubeconfigs have no credentials: %d", len(b.flock))
	}
}

// kubeconfig is the Secret of a cluster's KubevirtConfig.
func (b *birds) kubeconfig(cluster string) *corev1.Secret {
	b.t.Helper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(cluster)}
	if err := world.supervisor.Get(b.t.Context(), key, secret); err != nil {
		b.t.Fatal(err)
	}
	return secret
}

// startOperator lets an operator take the place of the package's until the test ends: it writes all
// that it can, and what a crash prints has every goroutine.
func (b *birds) startOperator() {
	b.t.Helper()
	if err := world.operator.Kill(); err != nil {
		b.t.Fatal(err)
	}
	b.page = newPage(b.t, b.flock)
	b.operator = &operator.Process{
		Binary: world.binary, Log: filepath.Join(b.t.TempDir(), "operator.log"), Plugins: pluginDir, Fleet: world.fleet,
		Args: append(b.page.args(), "--deletion-brake=off"), Env: []string{"GOTRACEBACK=all"},
	}
	if err := b.operator.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		before := fileSize(world.operator.Log)
		if err := errors.Join(b.operator.Stop(), world.operator.Start()); err != nil {
			b.t.Error(err)
		}
		err := wait.PollUntilContextTimeout(context.Background(), 100*time.Millisecond, patience, true, // t.Context() is over
			func(context.Context) (bool, error) { return fileSize(world.operator.Log) > before, nil })
		if err != nil {
			b.t.Errorf("the package's operator says nothing: %v", err)
		}
	})
}

// fileSize is the number of bytes of a file, 0 where it cannot be read.
func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// connected waits until the operator has said of a cluster, since it runs, that it is connected.
func (b *birds) connected(cluster string) {
	b.t.Helper()
	eventually.Eventually(b.t, patience, "the page shows "+cluster, func(ctx context.Context) error {
		text, err := b.page.get(ctx, "/fleet.json")
		if err == nil && !strings.Contains(text, cluster) {
			err = errors.New("it does not")
		}
		return err
	})
}

// arrives makes a Machine whose user data and network data are in Secrets.
func (b *birds) arrives() {
	for key, content := range map[string]string{
		"user":    "#cloud-config\npassword: " + b.plant("user data") + "\n",
		"network": `{"version": 2, "renderer": "` + b.plant("network data") + `"}`,
	} {
		b.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: key},
			StringData: map[string]string{"data": content}})
	}
	b.create(&vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: b.key.Name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: east}},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small",
			Disks: []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 2, Boot: true}},
			CloudInit: &vitistackv1alpha1.MachineCloudInit{
				UserDataSecretRef:    &vitistackv1alpha1.CloudInitSourceRef{Name: "user", Key: "data"},
				NetworkDataSecretRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "network", Key: "data"},
			}},
	})
	b.t.Cleanup(func() { tellLog(b.t, b.key.Name) })
}

// refusal lets a cluster refuse Secrets of the namespace with a message that repeats them, until
// the Machine or its move has said so.
func (b *birds) refusal(cluster, says string, begin func()) {
	b.t.Helper()
	policy, binding := echo(b.key.Namespace)
	remote := world.remote[cluster]
	for _, object := range []client.Object{policy, binding} {
		if err := remote.Create(b.t.Context(), object); err != nil {
			b.t.Fatal(err)
		}
	}
	lift := func() error {
		return errors.Join(client.IgnoreNotFound(remote.Delete(context.Background(), binding)),
			client.IgnoreNotFound(remote.Delete(context.Background(), policy)))
	}
	b.t.Cleanup(func() { _ = lift() })
	err := remote.Create(b.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.key.Namespace}})
	if client.IgnoreAlreadyExists(err) != nil {
		b.t.Fatal(err)
	}
	probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "probe"},
		Data: map[string][]byte{"networkdata": []byte("a probe")}}
	eventually.Eventually(b.t, patience, "the policy repeats Secrets", func(ctx context.Context) error {
		err := remote.Create(ctx, probe.DeepCopy(), client.DryRunAll)
		if !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "weak: YSBwcm9iZQ==") {
			return fmt.Errorf("the answer is %w", err)
		}
		return nil
	})
	begin()
	eventually.Eventually(b.t, patience, "the refusal is told", func(context.Context) error {
		message := b.ready().Message
		if b.move.Name != "" {
			message = fmt.Sprint(b.wish().Status.Conditions)
		}
		if !strings.Contains(message, says) || !strings.Contains(message, "audit log") {
			return fmt.Errorf("it says %s", message)
		}
		return nil
	})
	if err := lift(); err != nil {
		b.t.Fatal(err)
	}
}

// echo is a policy that refuses every Secret of a namespace and repeats it.
func echo(namespace string) (client.Object, client.Object) {
	name := metav1.ObjectMeta{Name: "echo-" + namespace}
	match := &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
		}}},
	}
	words := `object.data.map(key, string(object.data[key])).join(' and ')` // in base64, as the API has it
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: name, Spec: admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: match,
		Validations:      []admissionv1.Validation{{Expression: "false", MessageExpression: "'weak: ' + " + words}},
	}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name,
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name.Name,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}}}
	return policy, binding
}

// adopts takes over a virtual machine of a person, whose cloud-init is in a Secret.
func (b *birds) adopts() {
	b.t.Helper()
	vm := byHand(b.key.Namespace, "vm-found")
	vm.Spec.Template.Spec.Volumes = append(vm.Spec.Template.Spec.Volumes, kubevirtv1.Volume{Name: "init",
		VolumeSource: kubevirtv1.VolumeSource{CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{
			UserDataSecretRef: &corev1.LocalObjectReference{Name: "persons-init"}}}})
	disks := &vm.Spec.Template.Spec.Domain.Devices.Disks
	*disks = append(*disks, kubevirtv1.Disk{Name: "init", DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: "virtio"}}})
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.key.Namespace}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "persons-init"},
			StringData: map[string]string{"userdata": b.plant("cloud-init of a person")}}, vm,
	} {
		if err := world.remote[east].Create(b.t.Context(), object); err != nil {
			b.t.Fatal(err)
		}
	}
	found := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "found", Annotations: map[string]string{
			vitistackv1alpha1.AnnotationKubevirtConfig: east, vitistackv1alpha1.AnnotationAdopt: east + "/" + string(vm.UID),
		}},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small"},
	}
	b.create(found)
	eventually.Eventually(b.t, patience, "it is adopted", func(ctx context.Context) error {
		if err := world.supervisor.Get(ctx, client.ObjectKeyFromObject(found), found); err != nil {
			return err
		}
		if found.Status.MachineID != string(vm.UID) {
			return fmt.Errorf("the status is %+v", found.Status)
		}
		return nil
	})
}

// exportToken waits for the token with which the disks are fetched, and makes it a canary.
func (b *birds) exportToken(of string) {
	b.t.Helper()
	eventually.Eventually(b.t, patience, "the move has a token", func(ctx context.Context) error {
		secrets := &corev1.SecretList{}
		if err := world.remote[east].List(ctx, secrets, client.InNamespace(b.key.Namespace)); err != nil {
			return err
		}
		for _, secret := range secrets.Items {
			if token := secret.Data["token"]; strings.HasPrefix(secret.Name, "move-") && len(token) > 0 {
				b.flock["token of the export of the "+of+" move"] = token
				return nil
			}
		}
		return fmt.Errorf("%d Secrets, none with a token", len(secrets.Items))
	})
}

// restarts asks for a restart, by itself and by a rollout.
func (b *birds) restarts() {
	b.t.Helper()
	b.annotate(vitistackv1alpha1.AnnotationRestart, "one")
	rollout := &vitistackv1alpha1.MachineRollout{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "all"},
		Spec: vitistackv1alpha1.MachineRolloutSpec{Action: vitistackv1alpha1.RolloutRestart}}
	b.create(rollout)
	eventually.Eventually(b.t, patience, "both are under way", func(ctx context.Context) error {
		record, found, err := vitistackv1alpha1.RestartRecordOf(b.machine())
		if err != nil || !found {
			return fmt.Errorf("%+v, %w", record, err)
		}
		if err := world.supervisor.Get(ctx, client.ObjectKeyFromObject(rollout), rollout); err != nil {
			return err
		}
		if rollout.Status.Phase == "" {
			return errors.New("the rollout has no phase")
		}
		return nil
	})
}

// command runs kubectl machine, or the operator's own command, and keeps what it prints.
func (b *birds) command(args ...string) string {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), world.binary, args[1:]...)
	cmd.Args[0] = args[0]
	if args[0] == "kubectl-machine" {
		link := filepath.Join(b.t.TempDir(), args[0])
		if err := os.Symlink(world.binary, link); err != nil {
			b.t.Fatal(err)
		}
		cmd.Path = link
	}
	cmd.Env = []string{"KUBECONFIG=" + world.fleet.Supervisor.Kubeconfig(), "HOME=" + b.t.TempDir(),
		"PATH=" + os.Getenv("PATH"), "KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace}
	out, _ := cmd.CombinedOutput() // that something is missing, or not Ready, is an answer too
	b.said[strings.Join(args, " ")] = string(out)
	return string(out)
}
