package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/observer"
)

// clear deletes everything that the run made, and holds that nothing of the Machines is left in any
// cluster, and that what people made is still theirs.
func (w *world) clear(ctx context.Context, helper *person) []observer.Violation {
	for _, object := range []client.Object{&vitistackv1alpha1.MachineMove{}, &vitistackv1alpha1.MachineRollout{},
		&vitistackv1alpha1.Machine{}} {
		if err := w.supervisor.DeleteAllOf(ctx, object, client.InNamespace(w.namespace)); err != nil {
			return violation(observer.Convergence, "the run", err)
		}
	}
	if err := w.help(ctx, helper, w.nothingLeft); err != nil {
		return violation(observer.Leak, w.namespace, err)
	}
	if err := w.personsAreThere(ctx); err != nil {
		return violation("I2", "what people made", err)
	}
	if err := w.takeBack(ctx); err != nil {
		return violation(observer.Convergence, "the run", err)
	}
	w.say("         nothing is left in any cluster")
	return nil
}

// violation is one that the run itself sees.
func violation(invariant, object string, err error) []observer.Violation {
	return []observer.Violation{{Invariant: invariant, Object: object, Message: err.Error(), At: time.Now()}}
}

// personsAreThere holds that the operator deleted nothing that a person made.
func (w *world) personsAreThere(ctx context.Context) error {
	for _, each := range w.persons {
		if w.takenBack[each.uid] {
			continue
		}
		now := each.object.DeepCopyObject().(client.Object)
		remote, err := w.client(each.cluster)
		if err != nil {
			return err
		}
		err = remote.Get(ctx, client.ObjectKeyFromObject(each.object), now)
		if _, restored := w.restored[each.cluster]; restored && err != nil {
			continue // it may be younger than the backup
		}
		if err != nil {
			return fmt.Errorf("%s of %s, which a person made: %w", each.object.GetName(), each.cluster, err)
		}
		if now.GetUID() != each.uid || now.GetDeletionTimestamp() != nil {
			return fmt.Errorf("%s of %s, which a person made, was deleted", each.object.GetName(), each.cluster)
		}
	}
	return nil
}

// takeBack deletes what people made.
func (w *world) takeBack(ctx context.Context) error {
	for _, each := range w.persons {
		remote, err := w.client(each.cluster)
		if err != nil {
			return err
		}
		if err := gone(ctx, remote, each.object); err != nil {
			return err
		}
	}
	return nil
}

// nothingLeft says what is left of the Machines; what people made is theirs.
func (w *world) nothingLeft(ctx context.Context) error {
	left, err := w.objectsOf(ctx, w.supervisor, "vitistack.io/v1alpha1 Machine",
		"vitistack.io/v1alpha1 NetworkConfiguration")
	if err != nil {
		return err
	}
	for _, cluster := range remotes() {
		there, err := w.objectsOf(ctx, w.remotes[cluster], "kubevirt.io/v1 VirtualMachine",
			"kubevirt.io/v1 VirtualMachineInstance", "cdi.kubevirt.io/v1beta1 DataVolume", "v1 PersistentVolumeClaim", "v1 Secret")
		if err != nil {
			return err
		}
		for _, each := range there {
			left = append(left, cluster+": "+each)
		}
	}
	debts := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: vitistackv1alpha1.DebtsConfigMap}
	if err := w.supervisor.Get(ctx, key, debts); client.IgnoreNotFound(err) != nil {
		return err
	}
	for name, text := range debts.Data {
		if !isLate(text, time.Now()) {
			left = append(left, "the debt "+name)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("there is %s", strings.Join(left, ", "))
	}
	return nil
}

// isLate reports whether a debt waits for a virtual machine whose creation may still arrive.
func isLate(debt string, now time.Time) bool {
	var owed struct {
		Late time.Time `json:"late"`
	}
	return json.Unmarshal([]byte(debt), &owed) == nil && now.Before(owed.Late)
}

// objectsOf are the objects of some kinds in the run's namespace that are not people's.
func (w *world) objectsOf(ctx context.Context, c client.Client, kinds ...string) ([]string, error) {
	var names []string
	for _, kind := range kinds {
		version, name, _ := strings.Cut(kind, " ")
		list := &metav1.PartialObjectMetadataList{}
		list.APIVersion, list.Kind = version, name+"List"
		if err := c.List(ctx, list, client.InNamespace(w.namespace)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			if item := &list.Items[i]; !w.isPersons(item) {
				names = append(names, name+" "+item.Name)
			}
		}
	}
	return names, nil
}

// crashes are what the operator's log tells of its own faults: it may be killed, and must not break.
func (w *world) crashes() []observer.Violation {
	log, err := os.ReadFile(w.logFile())
	if err != nil {
		return []observer.Violation{{Invariant: "crash", Object: "operator", Message: err.Error(), At: time.Now()}}
	}
	var found []observer.Violation
	for line := range bytes.Lines(log) {
		if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) ||
			bytes.Contains(line, []byte("Observed a panic")) {
			found = append(found, observer.Violation{Invariant: "crash", Object: "operator",
				Message: string(bytes.TrimSpace(line)), At: time.Now()})
		}
	}
	return found
}
