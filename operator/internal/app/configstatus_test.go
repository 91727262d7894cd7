package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

func TestWriteConfigStatus(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		args   []string
		want   bool
	}{
		"alone": {reason: "one process does all", want: true},
		"one of several": {
			reason: "two writers would undo each other's work",
			args:   []string{"--watch-selector=shard=a"},
		},
		"the one of them": {
			reason: "somebody has to",
			args:   []string{"--watch-selector=shard=a", "--write-config-status"},
			want:   true,
		},
		"neither": {reason: "the writer is elsewhere", args: []string{"--write-config-status=false"}},
		"order of no note": {
			reason: "flags come in any order",
			args:   []string{"--write-config-status=true", "--watch-selector=shard=a"},
			want:   true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var options Options
			flags := pflag.NewFlagSet("", pflag.ContinueOnError)
			options.addFlags(flags)
			if err := flags.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			if err := options.complete(); err != nil {
				t.Fatal(err)
			}
			if options.WriteConfigStatus != c.want {
				t.Errorf("%s: got %t", c.reason, options.WriteConfigStatus)
			}
		})
	}
}

func TestFlagsThatAreRefused(t *testing.T) {
	for argument, reason := range map[string]string{
		"--write-config-status=perhaps":  "neither true nor false",
		"--watch-selector=a in":          "half a selector",
		"--uniqueness=strict":            "not one of its values",
		"--max-concurrent-reconciles=0":  "nothing would be done",
		"--max-concurrent-reconciles=-1": "less than nothing",
	} {
		var options Options
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		options.addFlags(flags)
		if err := flags.Parse([]string{argument}); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(argument, "=")
		if err := options.complete(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %s: %v", argument, reason, err)
		}
	}
}

func TestOnlyOutline(t *testing.T) {
	ledger := vitistackv1alpha1.Ledger{Config: "east", Namespace: "tenants", VMName: "vm-a", Nonce: "n"}
	full := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Name: "a", Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}}
	full.Spec.InstanceType, full.Status.Phase = "small", vitistackv1alpha1.MachinePhaseRunning
	full.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{SizeGB: 20}}
	full.Spec.UserData, full.Status.CPUs, full.Status.Memory = "long", 1, 1<<30
	full.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionReady, Status: metav1.ConditionTrue,
		Message: "the virtual machine runs"})
	full.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionPlaced, Status: metav1.ConditionTrue})
	stripped, err := onlyOutline(full)
	if err != nil {
		t.Fatal(err)
	}
	got := stripped.(*vitistackv1alpha1.Machine)
	if diff := cmp.Diff([]string{"east"}, clientmgr.ByConfig(got)); diff != "" {
		t.Errorf("it cannot be counted any more: -want +got:\n%s", diff)
	}
	if got.Spec.InstanceType != "small" || got.Status.CPUs != 1 || got.Status.Memory != 1<<30 || len(got.Status.Conditions) != 2 {
		t.Errorf("it cannot be in a rollout any more: %+v, %+v", got.Spec, got.Status)
	}
	if len(got.Spec.Disks) != 1 || got.Status.Condition(vitistackv1alpha1.ConditionReady) == nil {
		t.Errorf("it cannot be moved away any more: %+v, %+v", got.Spec, got.Status)
	}
	if got.Spec.UserData != "" || got.Status.Phase != "" || got.ManagedFields != nil || got.Status.Conditions[0].Message != "" {
		t.Errorf("what does not matter is kept: %v", got)
	}
}
