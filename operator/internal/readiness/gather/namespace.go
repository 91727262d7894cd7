package gather

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func (a asker) namespace(ctx context.Context) readiness.Fact[readiness.Namespace] {
	name := a.needs.VM.Namespace
	q := question{"namespace " + name, "get namespaces"}
	return remembered(ctx, a, &a.g.namespaces, q, func(ctx context.Context) (readiness.Namespace, error) {
		found := &corev1.Namespace{}
		err := a.reader.Get(ctx, client.ObjectKey{Name: name}, found)
		if apierrors.IsNotFound(err) {
			return readiness.Namespace{}, nil
		}
		return readiness.Namespace{Exists: true, Terminating: !found.DeletionTimestamp.IsZero()}, err
	})
}

// attachments looks for the NetworkAttachmentDefinitions. Where the cluster does not know the kind
// there are none.
func (a asker) attachments(ctx context.Context) readiness.Fact[map[string]readiness.Attachment] {
	var keys []string
	for _, network := range a.needs.Networks {
		keys = append(keys, network.Key)
	}
	if len(keys) == 0 {
		return readiness.Fact[map[string]readiness.Attachment]{}
	}
	q := question{"networks " + strings.Join(keys, " "), "get network-attachment-definitions.k8s.cni.cncf.io"}
	return remembered(ctx, a, &a.g.attachments, q, func(ctx context.Context) (map[string]readiness.Attachment, error) {
		all := map[string]readiness.Attachment{}
		for _, key := range keys {
			namespace, name, _ := strings.Cut(key, "/")
			found := &unstructured.Unstructured{}
			found.SetGroupVersionKind(desired.NetworkAttachmentDefinitionKind)
			err := a.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, found)
			switch {
			case apierrors.IsNotFound(err) || isUnserved(err):
			case err != nil:
				return nil, err
			default:
				config, _, _ := unstructured.NestedString(found.Object, "spec", "config")
				all[key] = readiness.Attachment{VLAN: vlanOf(config)}
			}
		}
		return all, nil
	})
}

// vlanOf is the VLAN of a CNI configuration or of the first of its plug-ins, 0 for none.
func vlanOf(config string) int {
	var parsed struct {
		VLAN    int `json:"vlan"`
		Plugins []struct {
			VLAN int `json:"vlan"`
		} `json:"plugins"`
	}
	if json.Unmarshal([]byte(config), &parsed) != nil {
		return 0
	}
	for _, plugin := range parsed.Plugins {
		if parsed.VLAN == 0 {
			parsed.VLAN = plugin.VLAN
		}
	}
	return parsed.VLAN
}

func (a asker) quotas(ctx context.Context) readiness.Fact[[]corev1.ResourceQuota] {
	namespace := a.needs.VM.Namespace
	q := question{"quotas " + namespace, "list resourcequotas"}
	return remembered(ctx, a, &a.g.quotas, q, func(ctx context.Context) ([]corev1.ResourceQuota, error) {
		list := &corev1.ResourceQuotaList{}
		err := a.reader.List(ctx, list, client.InNamespace(namespace))
		return list.Items, err
	})
}

func (a asker) limits(ctx context.Context) readiness.Fact[[]corev1.LimitRange] {
	namespace := a.needs.VM.Namespace
	q := question{"limits " + namespace, "list limitranges"}
	return remembered(ctx, a, &a.g.limits, q, func(ctx context.Context) ([]corev1.LimitRange, error) {
		list := &corev1.LimitRangeList{}
		err := a.reader.List(ctx, list, client.InNamespace(namespace))
		return list.Items, err
	})
}

// lacking asks for the rights, of which every user may ask.
func (a asker) lacking(ctx context.Context) readiness.Fact[[]string] {
	var key []string
	for _, right := range a.needs.Rights {
		key = append(key, right.String())
	}
	q := question{"rights " + strings.Join(key, ","), "create selfsubjectaccessreviews.authorization.k8s.io"}
	return remembered(ctx, a, &a.g.lacking, q, func(ctx context.Context) ([]string, error) {
		remote, err := a.g.clusters.GetClientForConfig(ctx, a.config)
		if err != nil {
			return nil, err
		}
		var lacking []string
		for _, right := range a.needs.Rights {
			review := &authorizationv1.SelfSubjectAccessReview{}
			review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
				Verb: right.Verb, Group: right.Group, Resource: right.Resource, Namespace: right.Namespace,
			}
			if err := remote.Create(ctx, review); err != nil {
				return nil, err
			}
			if !review.Status.Allowed {
				lacking = append(lacking, right.String())
			}
		}
		return lacking, nil
	})
}

// objects looks for what volumes refer to, by metadata alone.
func (a asker) objects(ctx context.Context) readiness.Fact[map[readiness.Object]bool] {
	there := map[readiness.Object]bool{}
	for _, object := range a.needs.Objects {
		key := types.NamespacedName{Namespace: a.needs.VM.Namespace, Name: object.Name}
		err := a.reader.Get(ctx, key, metadataOf(corev1.SchemeGroupVersion.WithKind(object.Kind)))
		if client.IgnoreNotFound(err) != nil {
			return failed[map[readiness.Object]bool](err, "get "+strings.ToLower(object.Kind)+"s in "+key.Namespace)
		}
		there[object] = err == nil
	}
	return readiness.Seen(there, a.now)
}

// name looks for a virtual machine of the wanted name.
func (a asker) name(ctx context.Context) readiness.Fact[*readiness.Found] {
	vm := &kubevirtv1.VirtualMachine{}
	err := a.reader.Get(ctx, client.ObjectKeyFromObject(a.needs.VM), vm)
	if apierrors.IsNotFound(err) || isUnserved(err) {
		return readiness.Seen[*readiness.Found](nil, a.now)
	}
	if err != nil {
		return failed[*readiness.Found](err, "get virtualmachines.kubevirt.io")
	}
	found := a.found("VirtualMachine", vm)
	found.Mine = found.Mine || a.needs.VMUID != "" && vm.UID == a.needs.VMUID
	return readiness.Seen(&found, a.now)
}

// disks looks for DataVolumes and claims that have the wanted names.
func (a asker) disks(ctx context.Context) readiness.Fact[[]readiness.Found] {
	var all []readiness.Found
	for _, disk := range a.needs.Disks {
		key := types.NamespacedName{Namespace: a.needs.VM.Namespace, Name: disk.Name}
		for _, each := range []struct {
			kind   string
			object client.Object
		}{{"DataVolume", &cdiv1beta1.DataVolume{}}, {"PersistentVolumeClaim", &corev1.PersistentVolumeClaim{}}} {
			err := a.reader.Get(ctx, key, each.object)
			switch {
			case apierrors.IsNotFound(err) || isUnserved(err):
			case err != nil:
				return failed[[]readiness.Found](err, "get "+strings.ToLower(each.kind)+"s")
			default:
				all = append(all, a.found(each.kind, each.object))
			}
		}
	}
	return readiness.Seen(all, a.now)
}

func (a asker) found(kind string, object client.Object) readiness.Found {
	return readiness.Found{
		Object: kind + " " + object.GetName(), UID: string(object.GetUID()),
		Mine: desired.IsOurs(object.GetLabels(), a.needs.MachineUID, a.needs.SupervisorUID),
	}
}

// dryRun asks the API server to create the virtual machine, and to keep nothing. It is a strict
// one: a field that the server would drop is refused.
func (a asker) dryRun(ctx context.Context) readiness.Fact[readiness.DryRun] {
	const right = "create virtualmachines.kubevirt.io"
	remote, err := a.g.clusters.GetClientForConfig(ctx, a.config)
	if err != nil {
		return failed[readiness.DryRun](err, right)
	}
	object, err := a.unstructured()
	if err != nil {
		return failed[readiness.DryRun](err, right)
	}
	err = remote.Create(ctx, object, client.DryRunAll, client.FieldValidation("Strict"), side.FieldOwner)
	switch {
	case err == nil:
		return readiness.Seen(readiness.DryRun{Accepted: true}, a.now)
	case apierrors.IsAlreadyExists(err):
		return readiness.Seen(readiness.DryRun{Exists: true}, a.now)
	case isAboutNamespace(err):
		return readiness.Seen(readiness.DryRun{NoNamespace: true}, a.now)
	case isRefusal(err):
		return readiness.Seen(readiness.DryRun{Message: clip(err.Error())}, a.now)
	}
	return failed[readiness.DryRun](err, right)
}

// isAboutNamespace reports whether the namespace is not there.
func isAboutNamespace(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsNotFound(err) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Kind == "namespaces"
}

// isRefusal reports whether the server has judged the object, rather than failed.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return isForbidden(err) || isUnserved(err)
	}
	switch code := status.Status().Code; code {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	default:
		return code >= 400 && code < 500
	}
}
