package machine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

var vmKey = types.NamespacedName{Namespace: namespace, Name: vmName}

// virtAPI plays the API server of KubeVirt's subresources for one cluster. It is the transport of the
// connection.
type virtAPI struct {
	*world
	cluster string
}

// servesSubresources lets every cluster have a virtAPI.
func (w *world) servesSubresources() {
	w.manager.GetRESTConfigForConfigFunc = func(_ context.Context, config string) (*rest.Config, error) {
		return &rest.Config{Host: "https://" + config + ".example", Transport: virtAPI{w, config}}, nil
	}
}

// RoundTrip carries out one call.
func (v virtAPI) RoundTrip(request *http.Request) (*http.Response, error) {
	path := strings.Split(strings.TrimPrefix(request.URL.Path, "/apis/subresources.kubevirt.io/v1/namespaces/"), "/")
	if request.Method != http.MethodPut || len(path) != 4 {
		return nil, fmt.Errorf("an unknown call: %s %s", request.Method, request.URL.Path)
	}
	key := types.NamespacedName{Namespace: path[0], Name: path[2]}
	err := v.do(call{v.cluster, "put", path[1] + "/" + path[3]}, func() error { return v.carryOut(key, path[3]) })
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &status):
		body := status.Status()
		body.APIVersion, body.Kind = "v1", "Status"
		return answered(int(body.Code), body), nil
	case err != nil:
		return nil, err
	default:
		return answered(http.StatusAccepted, nil), nil
	}
}

func answered(code int, body any) *http.Response {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(text))}
}

// carryOut does what virt-api does: restart asks for a stop of whatever instance there is.
func (v virtAPI) carryOut(key types.NamespacedName, verb string) error {
	vmi := v.vmi()
	if vmi == nil {
		return apierrors.NewConflict(kubevirtv1.Resource("virtualmachine"), key.Name, errors.New("not running"))
	}
	switch verb {
	case "restart":
		edit(v.world, v.cluster, key, &kubevirtv1.VirtualMachine{}, func(vm *kubevirtv1.VirtualMachine) {
			vm.Status.StateChangeRequests = []kubevirtv1.VirtualMachineStateChangeRequest{
				{Action: kubevirtv1.StopRequest, UID: ptr.To(vmi.UID)}, {Action: kubevirtv1.StartRequest},
			}
		})
	case "pause":
		v.editVMI(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Conditions = isPaused() })
	case "unpause":
		v.editVMI(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Conditions = nil })
	}
	return nil
}

func isPaused() []kubevirtv1.VirtualMachineInstanceCondition {
	return []kubevirtv1.VirtualMachineInstanceCondition{
		{Type: kubevirtv1.VirtualMachineInstancePaused, Status: corev1.ConditionTrue},
	}
}

// vmi is the instance of the Machine's VirtualMachine in east, nil for none.
func (w *world) vmi() *kubevirtv1.VirtualMachineInstance {
	w.t.Helper()
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := w.clients[east].Get(w.t.Context(), vmKey, vmi); err != nil {
		return nil
	}
	return vmi
}

func (w *world) editVMI(change func(*kubevirtv1.VirtualMachineInstance)) {
	w.t.Helper()
	edit(w, east, vmKey, &kubevirtv1.VirtualMachineInstance{}, change)
}

func (w *world) vmOf() *kubevirtv1.VirtualMachine {
	vm := w.vms()[east+"/"+vmName]
	return &vm
}

// boots starts an instance of the VirtualMachine in east.
func (w *world) boots() *kubevirtv1.VirtualMachineInstance {
	w.t.Helper()
	vm := w.vmOf()
	vmi := &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: vmName, UID: uuid.NewUUID(), Labels: vm.Labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind)},
	}}
	vmi.Status.Phase = kubevirtv1.Running
	w.put(east, vmi)
	w.editVM(func(vm *kubevirtv1.VirtualMachine) {
		vm.Status.PrintableStatus, vm.Status.StateChangeRequests = kubevirtv1.VirtualMachineStatusRunning, nil
	})
	return vmi
}

// restarts lets virt-controller carry out a request for a restart; done is false where there is none.
func (w *world) restarts() (done bool) {
	w.t.Helper()
	vm := w.vms()[east+"/"+vmName]
	if len(vm.Status.StateChangeRequests) == 0 {
		return false
	}
	if vmi := w.vmi(); vmi != nil {
		w.remove(east, vmi)
	}
	w.boots()
	return true
}

// puts are the calls of subresources since the last forget.
func (w *world) puts() []string { return w.called(func(c call) bool { return c.verb == "put" }) }

// ticking is a clock that tests move.
type ticking struct{ time.Time }

func (c *ticking) Now() time.Time                  { return c.Time }
func (c *ticking) Since(t time.Time) time.Duration { return c.Sub(t) }
