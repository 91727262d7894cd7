package render

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	"github.com/vitistack/kubevirt-multicluster/api/samples"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// compiled is a definition out of a stream of them.
func compiled(f *testing.F, stream []byte, name string) *admit.Definition {
	f.Helper()
	all, err := crdcheck.Load(bytes.NewReader(stream))
	if err != nil {
		f.Fatal(err)
	}
	i := slices.IndexFunc(all, func(crd apiextensionsv1.CustomResourceDefinition) bool { return crd.Name == name })
	if i < 0 {
		f.Fatalf("there is no definition %s", name)
	}
	definition, err := admit.Compile(&all[i])
	if err != nil {
		f.Fatal(err)
	}
	return definition
}

// kubeVirts is what KubeVirt's release has as its definition of virtual machines.
func kubeVirts(f *testing.F) *admit.Definition {
	f.Helper()
	cache, err := controlplane.CacheDir()
	if err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(cache, "kubevirt-v1.8.4", "crds.yaml"))
	if err != nil {
		f.Fatalf("%v: run `make tools`", err)
	}
	return compiled(f, content, "virtualmachines.kubevirt.io")
}

// FuzzObjects makes of a file what the operator makes of a Machine and what it names. Each Machine
// that our own definition admits is refused with a reason, or becomes a virtual machine that
// KubeVirt's definition admits, and of which it drops nothing.
func FuzzObjects(f *testing.F) {
	machines := compiled(f, crds.YAML()["machines.vitistack.io"], "machines.vitistack.io")
	vms := kubeVirts(f)
	manifests := samples.YAML()
	for name, manifest := range manifests {
		if strings.HasPrefix(name, "machine-") {
			f.Add(manifest)
			f.Add(bytes.Join([][]byte{manifest, manifests["machineclass-full"], manifests["networknamespace-static"]}, []byte("\n---\n")))
			f.Add(bytes.Join([][]byte{manifest, manifests["machineclass-minimal"], manifests["networknamespace-dhcp"]}, []byte("\n---\n")))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		in, err := parse(file)
		if err != nil {
			return
		}
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(in.machine)
		if err != nil {
			t.Fatal(err)
		}
		if verdict, err := machines.Create(t.Context(), object); err != nil || !verdict.Accepted {
			return // no API server has such a Machine
		}
		objects, err := in.objects(machine.Settings{VMNamePrefix: desired.DefaultVMNamePrefix})
		if err != nil {
			checkRefused(t, err)
			return
		}
		verdict, err := vms.Create(t.Context(), objects[0].Object)
		if err != nil || !verdict.Kept() {
			t.Errorf("KubeVirt's definition would not take the virtual machine as it is: %v: refused %v, dropped %v",
				err, verdict.Refused, verdict.Pruned)
		}
	})
}

// checkRefused holds for each error of what is in a file: it can be shown.
func checkRefused(t *testing.T, err error) {
	t.Helper()
	var refusal *desired.Refusal
	var wait *desired.Wait
	if !errors.As(err, &refusal) && !errors.As(err, &wait) && !strings.HasSuffix(err.Error(), "add it to the file") {
		t.Errorf("an error without a reason: %v", err)
	}
	if !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("characters that are not shown: %q", err)
	}
}
