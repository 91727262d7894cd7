package v1alpha1_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestAddToScheme(t *testing.T) {
	scheme := runtime.NewScheme()
	for range 2 { // adding twice is no error
		if err := v1alpha1.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for kind, goType := range scheme.KnownTypes(v1alpha1.SchemeGroupVersion) {
		if strings.HasSuffix(goType.PkgPath(), "/v1alpha1") {
			got = append(got, kind)
		}
	}
	slices.Sort(got)
	want := []string{
		"Evacuation", "EvacuationList", "KubevirtConfig", "KubevirtConfigList", "Machine",
		"MachineClass", "MachineClassList", "MachineList", "MachineMove", "MachineMoveList",
		"MachineRollout", "MachineRolloutList", "NetworkConfiguration", "NetworkConfigurationList",
		"NetworkNamespace", "NetworkNamespaceList",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff("machines.vitistack.io", v1alpha1.Resource("machines").String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff("Machine.vitistack.io", v1alpha1.Kind("Machine").String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMachineClassIsEnabled(t *testing.T) {
	yes, no := true, false
	for name, tc := range map[string]struct {
		reason  string
		enabled *bool
		want    bool
	}{
		"unset": {reason: "a definition without the default must not disable every class", want: true},
		"true":  {reason: "as said", enabled: &yes, want: true},
		"false": {reason: "as said", enabled: &no},
	} {
		class := v1alpha1.MachineClass{Spec: v1alpha1.MachineClassSpec{Enabled: tc.enabled}}
		if got := class.IsEnabled(); got != tc.want {
			t.Errorf("%s: %s: got %t", name, tc.reason, got)
		}
	}
}
