package observer

import (
	"net/http"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestStrangers(t *testing.T) {
	const operator = fleet.OperatorUser
	created := func(n *tale, cluster string) { n.call(cluster, operator, "create", virtualMachines, "vm-web", 201, 2) }
	judge(t, strangers, map[string]situation{
		"made by the record": {
			reason: "the record names the cluster and the name",
			tell:   func(n *tale) { n.machine(1, placedIn(east, "")); created(n, east); n.vm(east, webVM, "Always", 2) },
		},
		"made without a record": {
			reason: "no record names it",
			tell:   func(n *tale) { n.machine(1, nil); created(n, east); n.vm(east, webVM, "Always", 2) },
			want:   []string{"I2 virtualmachines shop/vm-web"},
		},
		"made before the record": {
			reason: "a record that comes later is none",
			tell:   func(n *tale) { created(n, east); n.vm(east, webVM, "Always", 2); n.machine(9, placedIn(east, "")) },
			want:   []string{"I2 virtualmachines shop/vm-web"},
		},
		"made in another cluster of that name": {
			reason: "the KubevirtConfig leads elsewhere than when the record was written",
			tell: func(n *tale) {
				n.machine(1, func(m *vitistackv1alpha1.Machine) {
					ledger := vitistackv1alpha1.Ledger{Config: east, ClusterUID: "former", Namespace: "shop", VMName: "vm-web", Nonce: "n"}
					m.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
				})
				created(n, east)
				n.vm(east, webVM, "Always", 2)
			},
			want: []string{"I7 virtualmachines shop/vm-web"},
		},
		"only tried": {
			reason: "a dry run makes nothing, and neither does what is refused",
			tell: func(n *tale) {
				n.called(east, audit.Call{User: operator, Verb: "create", Resource: virtualMachines, Namespace: "shop", Name: "vm-web",
					Code: 201, URI: "/x?dryRun=All", Received: at(2), Answered: at(2)})
				n.call(east, operator, "create", virtualMachines, "vm-web", http.StatusForbidden, 2)
			},
		},
		"the record's is deleted": {
			reason: "the record names the UID",
			tell: func(n *tale) {
				n.machine(1, placedIn(east, webVM))
				n.vm(east, webVM, "Always", 2)
				n.call(east, operator, "delete", virtualMachines, "vm-web", 200, 5)
			},
		},
		"another one of that name is deleted": {
			reason: "the record names another UID",
			tell: func(n *tale) {
				n.machine(1, placedIn(east, "former"))
				n.vm(east, webVM, "Always", 2)
				n.call(east, operator, "delete", virtualMachines, "vm-web", 200, 5)
			},
			want: []string{"I2 virtualmachines shop/vm-web"},
		},
		"deleted and made anew": {
			reason: "one of the two that had the name at that time is the record's",
			tell: func(n *tale) {
				n.machine(1, placedIn(east, "former"))
				n.vm(east, "former", "Always", 2)
				n.call(east, operator, "delete", virtualMachines, "vm-web", 200, 5)
				n.vmGone(east, "former", 5)
				n.vm(east, webVM, "Always", 5.1)
			},
		},
		"an orphan is deleted": {
			reason: "its Machine is gone, and nobody asked for it",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 2)
				n.call(east, operator, "delete", virtualMachines, "vm-web", 200, 5)
			},
			want: []string{"I13 virtualmachines shop/vm-web"},
		},
		"a debt is paid": {
			reason: "the ConfigMap of debts names it",
			tell: func(n *tale) {
				n.put(fleet.Supervisor, configMaps, fleet.ConfigsNamespace, vitistackv1alpha1.DebtsConfigMap, "debts", 1,
					map[string]any{"data": map[string]any{web: `{"machine":"web","uid":"` + web + `","ledger":{"config":"cluster-east",` +
						`"clusterUID":"uid-cluster-east","namespace":"shop","vmName":"vm-web","nonce":"n","vmUID":"vm-web"}}`}})
				n.vm(east, webVM, "Always", 2)
				n.call(east, operator, "delete", virtualMachines, "vm-web", 200, 5)
			},
		},
		"a person's is called so": {
			reason: "even where the record names it",
			tell: func(n *tale) {
				n.machine(1, placedIn(east, webVM))
				n.vm(east, webVM, "Always", 2)
				n.history.persons[webVM] = true
				n.call(east, operator, "patch", virtualMachines, "vm-web", 200, 5)
			},
			want: []string{"I2 virtualmachines shop/vm-web"},
		},
		"somebody else writes": {
			reason: "a person may do anything",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 2)
				n.call(east, "somebody", "delete", virtualMachines, "vm-web", 200, 5)
			},
		},
		"in bulk": {
			reason: "it names no object",
			tell:   func(n *tale) { n.call(east, operator, "deletecollection", "pods", "", 200, 5) },
			want:   []string{"I2 pods shop/"},
		},
		"a network": {
			reason: "the operator made it, and others may be attached to it",
			tell: func(n *tale) {
				n.call(east, operator, "create", attachments, "vlan-7", 201, 0.9)
				n.put(east, attachments, "shop", "vlan-7", "nad", 1, nil)
				n.call(east, operator, "delete", attachments, "vlan-7", 200, 5)
			},
			want: []string{"I2 network-attachment-definitions shop/vlan-7"},
		},
	})
}

func TestStrangersDisks(t *testing.T) {
	claim := func(n *tale, fields map[string]any) {
		n.machine(1, placedIn(east, webVM))
		n.vm(east, webVM, "Always", 1)
		n.put(east, claims, "shop", "root", "claim", 2, fields)
		n.call(east, fleet.OperatorUser, "delete", claims, "root", 200, 5)
	}
	judge(t, strangers, map[string]situation{
		"labels alone": {
			reason: "a restored copy carries the labels of the Machine, and is a person's",
			tell: func(n *tale) {
				claim(n, map[string]any{"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}}})
			},
			want: []string{"I2 persistentvolumeclaims shop/root"},
		},
		"its VirtualMachine owns it": {
			reason: "it goes with that",
			tell: func(n *tale) {
				claim(n, map[string]any{"metadata": map[string]any{"ownerReferences": []any{map[string]any{"kind": "VirtualMachine",
					"uid": webVM, "name": "vm-web", "apiVersion": "kubevirt.io/v1"}}}})
			},
		},
		"the record of disks names it": {
			reason: "it was written down before the VirtualMachine went",
			tell: func(n *tale) {
				n.machine(0, all(placedIn(east, webVM), func(m *vitistackv1alpha1.Machine) {
					m.Annotations[vitistackv1alpha1.AnnotationPlacementDisks] = vitistackv1alpha1.DiskRecord{
						{Kind: vitistackv1alpha1.DiskKindPersistentVolumeClaim, Name: "root", UID: "claim"}}.String()
				}))
				claim(n, nil)
			},
		},
		"its VirtualMachine has it as a volume": {
			reason: "an adopted one need not own its disks",
			tell: func(n *tale) {
				claim(n, nil)
				fields := vmFields("Always")
				fields["spec"] = map[string]any{"template": map[string]any{"spec": map[string]any{"volumes": []any{
					map[string]any{"name": "root", "persistentVolumeClaim": map[string]any{"claimName": "root"}}}}}}
				n.put(east, virtualMachines, "shop", "vm-web", webVM, 3, fields)
			},
		},
	})
}
