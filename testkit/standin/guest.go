package standin

import (
	"fmt"
	"hash/fnv"
	"maps"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// guests play KubeVirt and CDI in one cluster. Each change of a VirtualMachine is followed in a
// goroutine of its own, one at a time for each, until there is nothing to do.
type guests struct {
	cluster *Cluster
	playing *sync.WaitGroup

	mu     sync.Mutex
	locked map[key]bool // those that are followed; true where they changed meanwhile
}

// wake follows a VirtualMachine that somebody changed. Other kinds need nobody.
func (g *guests) wake(r resource, object *stored) {
	if r != machines {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, followed := g.locked[object.key]; followed {
		g.locked[object.key] = true
		return
	}
	if g.locked == nil {
		g.locked = map[key]bool{}
	}
	g.locked[object.key] = false
	g.playing.Go(func() { g.follow(object.key) })
}

func (g *guests) follow(vm key) {
	for again := true; again; {
		g.settle(vm)
		g.mu.Lock()
		if again = g.locked[vm]; again {
			g.locked[vm] = false
		} else {
			delete(g.locked, vm)
		}
		g.mu.Unlock()
	}
}

// settle brings a VirtualMachine to where its run strategy wants it. What fails because somebody
// else was faster is woken again by that change.
func (g *guests) settle(k key) {
	kept, err := g.cluster.get(machines, k)
	if err != nil {
		return
	}
	vm, err := kept.decode()
	if err != nil {
		return
	}
	strategy, _, _ := unstructured.NestedString(vm.Object, "spec", "runStrategy") // no string is a stopped one
	_, err = g.cluster.get(instances, k)
	runs := err == nil
	wanted := strategy == string(kubevirtv1.RunStrategyAlways) || strategy == string(kubevirtv1.RunStrategyRerunOnFailure)
	g.fill(vm)
	switch {
	case wanted && !runs:
		g.start(vm)
	case !wanted && runs:
		_, _ = g.cluster.remove(instances, k, preconditions{}, false) // its VirtualMachine is gone, and it with that
		g.report(k, string(kubevirtv1.VirtualMachineStatusStopped), strategy, false, nil)
	case !wanted:
		g.report(k, string(kubevirtv1.VirtualMachineStatusStopped), strategy, false, nil)
	}
}

// fill makes the DataVolumes of a VirtualMachine, each with its claim, and fills them at once.
func (g *guests) fill(vm *unstructured.Unstructured) {
	templates, _, _ := unstructured.NestedSlice(vm.Object, "spec", "dataVolumeTemplates") // none where there is no list
	for _, each := range templates {
		template, isMap := each.(map[string]any)
		if !isMap {
			continue
		}
		of := &unstructured.Unstructured{Object: template}
		volume := child(vm, of.GetName(), of.GetLabels())
		volume.Object["spec"] = template["spec"]
		if _, err := g.cluster.create(dataVolumes, volume, false); err != nil {
			continue // it is there
		}
		g.report(keyOf(vm), string(kubevirtv1.VirtualMachineStatusProvisioning), "", false, nil)
		claim := child(vm, of.GetName(), of.GetLabels())
		claim.Object["status"] = map[string]any{"phase": "Bound"}
		_, _ = g.cluster.create(claims, claim, false) // it is there
		for _, phase := range []string{"ImportInProgress", "Succeeded"} {
			g.merge(dataVolumes, keyOf(volume), "", map[string]any{"status": map[string]any{
				"claimName": of.GetName(), "phase": phase, "conditions": []any{
					condition("Bound", "True"), condition("Ready", truth(phase == "Succeeded")),
				},
			}})
		}
	}
}

// start takes a guest through the phases that KubeVirt shows.
func (g *guests) start(vm *unstructured.Unstructured) {
	k := keyOf(vm)
	labels, _, _ := unstructured.NestedStringMap(vm.Object, "spec", "template", "metadata", "labels")
	spec, _, _ := unstructured.NestedMap(vm.Object, "spec", "template", "spec") // a copy
	instance := child(vm, vm.GetName(), labels)
	instance.Object["spec"] = spec
	instance.Object["status"] = map[string]any{"phase": "Pending"}
	made, err := g.cluster.create(instances, instance, false)
	if err != nil {
		return
	}
	strategy, _, _ := unstructured.NestedString(vm.Object, "spec", "runStrategy")
	g.report(k, string(kubevirtv1.VirtualMachineStatusStarting), strategy, false, nil)
	for _, phase := range []string{"Scheduling", "Scheduled"} {
		g.merge(instances, k, "", map[string]any{"status": map[string]any{"phase": phase}})
	}
	conditions := []any{
		condition("Ready", "True"), condition("AgentConnected", "True"), condition("LiveMigratable", "True"),
	}
	g.merge(instances, k, "", map[string]any{"status": map[string]any{
		"phase": "Running", "nodeName": "node-" + g.cluster.name, "conditions": conditions,
		"guestOSInfo": map[string]any{"id": "debian", "name": "Debian GNU/Linux", "versionId": "13",
			"prettyName": "Debian GNU/Linux 13 (trixie)", "kernelRelease": "6.12.48+deb13-amd64"},
		"interfaces": interfaces(spec, string(made.uid)), "volumeStatus": volumes(spec),
		"machine": map[string]any{"type": "pc-q35-rhel9.6.0"},
	}})
	g.report(k, string(kubevirtv1.VirtualMachineStatusRunning), strategy, true, conditions)
}

// report writes the status of a VirtualMachine.
func (g *guests) report(k key, printable, strategy string, runs bool, conditions []any) {
	if !runs {
		conditions = []any{condition("Ready", "False")}
	}
	g.merge(machines, k, "status", map[string]any{"status": map[string]any{
		"printableStatus": printable, "runStrategy": strategy, "created": runs, "ready": runs,
		"conditions":        append(conditions, condition("DataVolumesReady", "True")),
		"desiredGeneration": int64(1), "observedGeneration": int64(1),
	}})
}

func (g *guests) merge(r resource, k key, subresource string, patch map[string]any) {
	body, err := json.Marshal(patch)
	if err != nil {
		return
	}
	by, err := patched("application/merge-patch+json", body)
	if err != nil {
		return
	}
	_, _ = g.cluster.change(r, k, subresource, by, false) // it is gone
}

// child is an object that goes with a VirtualMachine.
func child(vm *unstructured.Unstructured, name string, labels map[string]string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetNamespace(vm.GetNamespace())
	object.SetName(name)
	object.SetLabels(maps.Clone(labels))
	owner := metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind)
	object.SetOwnerReferences([]metav1.OwnerReference{*owner})
	return object
}

// interfaces reports the interfaces of a guest, each with an address that follows from its UID.
func interfaces(spec map[string]any, uid string) []any {
	asked, _, _ := unstructured.NestedSlice(spec, "domain", "devices", "interfaces")
	var all []any
	for i, each := range asked {
		nic, isMap := each.(map[string]any)
		if !isMap {
			continue
		}
		sum := fnv.New32a()
		_, _ = fmt.Fprintf(sum, "%s/%d", uid, i) // a hash takes all
		n := sum.Sum32()
		address := fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
		one := map[string]any{
			"name": nic["name"], "mac": nic["macAddress"], "interfaceName": fmt.Sprintf("eth%d", i), "linkState": "up",
			"infoSource": "domain, guest-agent", "ipAddress": address, "ipAddresses": []any{address}, "queueCount": int64(1),
		}
		all = append(all, one)
	}
	return all
}

func volumes(spec map[string]any) []any {
	asked, _, _ := unstructured.NestedSlice(spec, "volumes")
	var all []any
	for i, each := range asked {
		volume, isMap := each.(map[string]any)
		if !isMap {
			continue
		}
		one := map[string]any{"name": volume["name"], "target": fmt.Sprintf("vd%c", 'a'+i)}
		if name, found, _ := unstructured.NestedString(volume, "dataVolume", "name"); found {
			one["persistentVolumeClaimInfo"] = map[string]any{
				"claimName": name, "accessModes": []any{"ReadWriteMany"}, "volumeMode": "Block",
				"capacity": map[string]any{"storage": "10Gi"}, "requests": map[string]any{"storage": "10Gi"},
			}
		}
		all = append(all, one)
	}
	return all
}

func condition(kind, status string) map[string]any {
	now := metav1.Now().UTC().Format("2006-01-02T15:04:05Z")
	return map[string]any{"type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now}
}

func truth(is bool) string {
	if is {
		return "True"
	}
	return "False"
}
