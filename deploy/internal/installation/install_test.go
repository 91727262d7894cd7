package installation

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestInstallation is the life of an installation: it is installed, used, upgraded under running
// Machines, removed, and installed again.
func TestInstallation(t *testing.T) {
	values := readValues(t, "testdata/values.yaml")
	for _, entry := range values["placement"].(map[string]any)["strategies"].([]any) {
		strategy := entry.(map[string]any)
		if path, found := strategy["path"].(string); found {
			_, plugin, _ := strings.Cut(path, "/")
			strategy["sha256"] = digest(t, plugin)
		}
	}
	installed := installRelease(t, loadChart(t), values)
	if !strings.Contains(installed.Info.Notes, "rollout status deployment/kubevirt-operator") {
		t.Errorf("the notes do not say what comes next:\n%s", installed.Info.Notes)
	}
	addCluster(t)
	from := prepareVolumes(t)
	startSidecar(t, from)
	running := startOperator(t, from)
	first := newMachine(t, "first")
	wantRunning(t, first)
	wantConfined(t, running)
	wantAllAsked(t, first)
	before := virtualMachines(t)
	if len(before) != 1 {
		t.Fatalf("virtual machines: %v", before)
	}

	t.Run("Upgrade", func(t *testing.T) {
		upgradeRelease(t, nextChart(t), values)
		wantUpgraded(t)
		running.stop()
		running = startOperator(t, from)
		t.Cleanup(running.stop)
		second := newMachine(t, "second")
		wantRunning(t, second)
		wantRunning(t, first)
		after := virtualMachines(t)
		if len(after) != 2 || after["vm-first"] != before["vm-first"] {
			t.Errorf("virtual machines before %v, after %v", before, after)
		}
	})
	t.Run("Rights", wantNothingForbidden)
	t.Run("Uninstall", func(t *testing.T) {
		machines := []client.ObjectKey{{Namespace: "default", Name: "first"}, {Namespace: "default", Name: "second"}}
		uninstallRelease(t)
		wantGone(t)
		wantKept(t, machines)
		installRelease(t, loadChart(t), nil) // takes over what was kept
		wantKept(t, machines)
	})
}

// wantAllAsked: each way in has brought its strategy, and the last one has decided.
func wantAllAsked(t *testing.T, machine *vitistackv1alpha1.Machine) {
	t.Helper()
	trace := vitistackv1alpha1.ParsePlacementTrace(machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	var got []string
	for _, step := range trace.Steps {
		got = append(got, step.Strategy+" "+step.Verdict)
	}
	want := []string{"annotation NoOpinion", "labels NoOpinion", "search NoOpinion", "spread Placed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%+v: -want +got:\n%s", trace, diff)
	}
}

// nextDescription is what the next version says of a definition.
const nextDescription = "Machine of the next version"

// nextChart is the chart of a next version, which has another definition.
func nextChart(t *testing.T) *helmchart.Chart {
	t.Helper()
	next := loadChart(t)
	next.Metadata.Version, next.Metadata.AppVersion = "0.2.0", "v0.2.0"
	changed := false
	for _, file := range next.Files {
		if file.Name != "files/crds/vitistack.io_machines.yaml" {
			continue
		}
		data := bytes.Replace(file.Data, []byte("Machine is a virtual machine that"), []byte(nextDescription), 1)
		changed = changed || !bytes.Equal(data, file.Data)
		file.Data = data
	}
	if !changed {
		t.Fatal("the chart has no definition of Machines")
	}
	return next
}

// wantUpgraded looks at what the next version has otherwise.
func wantUpgraded(t *testing.T) {
	t.Helper()
	definition := &unstructured.Unstructured{}
	definition.SetAPIVersion("apiextensions.k8s.io/v1")
	definition.SetKind("CustomResourceDefinition")
	key := client.ObjectKey{Name: "machines.vitistack.io"}
	if err := world.supervisorAdmin.Get(t.Context(), key, definition); err != nil {
		t.Fatal(err)
	}
	text, err := definition.MarshalJSON()
	if err != nil || !bytes.Contains(text, []byte(nextDescription)) {
		t.Errorf("the definition was not upgraded: %v", err)
	}
	deployment := &appsv1.Deployment{}
	key = client.ObjectKey{Namespace: operator, Name: operator}
	if err := world.supervisorAdmin.Get(t.Context(), key, deployment); err != nil {
		t.Fatal(err)
	}
	if got := deployment.Labels["app.kubernetes.io/version"]; got != "v0.2.0" {
		t.Errorf("the Deployment is of %s", got)
	}
}

// wantNothingForbidden reads what the operator asked, in the API server's audit log.
func wantNothingForbidden(t *testing.T) {
	calls, err := audit.Read(world.supervisor.AuditLog(), audit.Filter{
		User: "system:serviceaccount:" + operator + ":" + operator,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) < 20 {
		t.Fatalf("the operator has made %d calls: the test looked at nothing", len(calls))
	}
	leased := false
	for _, call := range calls {
		if call.Forbidden() {
			t.Errorf("the chart's rights do not allow: %s", call)
		}
		leased = leased || strings.Contains(call.String(), "leases")
	}
	if !leased {
		t.Error("no replica has elected itself")
	}
}

// wantGone: what runs, and what lets it in, ends with the release.
func wantGone(t *testing.T) {
	t.Helper()
	own := metav1.ObjectMeta{Namespace: operator, Name: operator}
	for _, object := range []client.Object{
		&appsv1.Deployment{ObjectMeta: own}, &corev1.ServiceAccount{ObjectMeta: own}, &rbacv1.Role{ObjectMeta: own},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: operator}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: operator}},
	} {
		eventually.Eventually(t, patience, "the object is gone", func(ctx context.Context) error {
			err := world.supervisorAdmin.Get(ctx, client.ObjectKeyFromObject(object), object)
			if apierrors.IsNotFound(err) {
				return nil
			}
			return errors.Join(errors.New(object.GetName()+" is still there"), err)
		})
	}
}

// wantKept: what people have stays, and is not being deleted.
func wantKept(t *testing.T, machines []client.ObjectKey) {
	t.Helper()
	kept := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: configsNamespace}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: "east-kubeconfig"}},
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: east}},
	}
	for _, key := range machines {
		own := metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}
		kept = append(kept, &vitistackv1alpha1.Machine{ObjectMeta: own})
	}
	for _, object := range kept {
		if err := world.supervisorAdmin.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Errorf("%s is gone: %v", object.GetName(), err)
		}
		if !object.GetDeletionTimestamp().IsZero() {
			t.Errorf("%s is being deleted", object.GetName())
		}
	}
	names := []string{}
	definitions := &unstructured.UnstructuredList{}
	definitions.SetAPIVersion("apiextensions.k8s.io/v1")
	definitions.SetKind("CustomResourceDefinitionList")
	if err := world.supervisorAdmin.List(t.Context(), definitions); err != nil {
		t.Fatal(err)
	}
	for _, item := range definitions.Items {
		if strings.HasSuffix(item.GetName(), ".vitistack.io") && item.GetDeletionTimestamp().IsZero() {
			names = append(names, item.GetName())
		}
	}
	if slices.Sort(names); len(names) != len(crds.YAML()) {
		t.Errorf("the definitions are %v", names)
	}
}
