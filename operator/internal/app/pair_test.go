package app

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// maxPair is how many bytes of heap a VirtualMachine with three interfaces and its instance may
	// hold in a cache.
	maxPair = 6 << 10
	// measuredPairs is the number of pairs that the heap of each is an average of.
	measuredPairs = 2000
)

// TestCachedPairIsSmall measures what an informer's store holds of VirtualMachines that run and of
// their instances, as an API server sends them.
func TestCachedPairIsSmall(t *testing.T) {
	golden := goldenVM(t, "interfaces.yaml")
	golden.Annotations[vitistackv1alpha1.AnnotationAppliedWish] = `{"runStrategy":"Always","class":"small","cores":2,` +
		`"sockets":1,"threads":1,"memory":2147483648,"disks":["root"],"interfaces":["vlan10","backup","second"]}`
	vms, instances := newInformed(t, golden), newInformed(t, &kubevirtv1.VirtualMachineInstance{})
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			vm := golden.DeepCopy()
			instance := runningPair(vm, i)
			own(vm, i)
			own(instance, measuredPairs+i)
			vms.add(vm)
			instances.add(instance)
		}
	}
	fill(0, 100) // what all have in common
	before := heap()
	fill(100, 100+measuredPairs)
	held := (heap() - before) / measuredPairs
	runtime.KeepAlive(vms)
	runtime.KeepAlive(instances)
	t.Logf("a pair holds %d bytes", held)
	if held > maxPair {
		t.Errorf("a pair holds %d bytes of heap, and may hold %d", held, maxPair)
	}
}

// own gives an object what is its own: its UID and version, the addresses of its interfaces, and
// the name of its Machine.
func own(object client.Object, i int) {
	object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)))
	object.SetResourceVersion(fmt.Sprint(1_000_000 + i))
	object.SetCreationTimestamp(metav1.Now())
	object.GetLabels()[vitistackv1alpha1.LabelMachineUID] = fmt.Sprintf("1a2b3c4d-0000-4000-8000-%012d", i%measuredPairs)
	object.GetLabels()[vitistackv1alpha1.LabelSourceMachine] = fmt.Sprintf("machine-%05d", i%measuredPairs)
}

// informed is an informer's store of one kind, with the operator's transform before it.
type informed struct {
	t         *testing.T
	store     toolscache.Indexer
	transform toolscache.TransformFunc
}

func newInformed(t *testing.T, kind client.Object) informed {
	t.Helper()
	in := informed{t: t, store: toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc,
		toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})}
	for declared, by := range RemoteOptions(Options{}, "supervisor", nil).Kinds {
		if reflect.TypeOf(declared) == reflect.TypeOf(kind) {
			in.transform = by.Transform
		}
	}
	return in
}

// add decodes an object, packs it as package clusters does, transforms and stores it.
func (in informed) add(object client.Object) {
	in.t.Helper()
	sent, err := json.Marshal(object)
	must(in.t, err)
	decoded := reflect.New(reflect.TypeOf(object).Elem()).Interface().(client.Object)
	must(in.t, json.Unmarshal(sent, decoded))
	small, err := in.transform(decoded.DeepCopyObject())
	must(in.t, err)
	must(in.t, in.store.Add(small))
}
