package agent

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

const (
	// claimIndex finds the instances that use a claim.
	claimIndex = "claim"
	// claimFinalizer and volumeFinalizer are set at admission; the controllers that would lift them do
	// not run.
	claimFinalizer  = "kubernetes.io/pvc-protection"
	volumeFinalizer = "kubernetes.io/pv-protection"
)

// provisioner plays the volume provisioner of the default class, and of others that name it, and the
// controllers that bind and protect claims.
type provisioner struct{ client client.Client }

// Reconcile binds a claim, or lets one go that nothing uses.
func (p *provisioner) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	claim := &corev1.PersistentVolumeClaim{}
	if err := p.client.Get(ctx, request.NamespacedName, claim); err != nil {
		return reconcile.Result{}, err
	}
	switch {
	case claim.DeletionTimestamp != nil:
		return reconcile.Result{}, p.release(ctx, claim)
	case claim.Status.Phase == corev1.ClaimBound:
		return reconcile.Result{}, nil
	}
	class, err := classOf(ctx, p.client, claim)
	if err != nil || class == nil { // somebody else's
		return reconcile.Result{}, err
	}
	if waitsForUser(class, claim) {
		if used, err := p.used(ctx, claim); err != nil || !used {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, p.bind(ctx, claim)
}

// bind makes the volume of a claim and binds the two.
func (p *provisioner) bind(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	volume := volumeFor(claim)
	if err := p.client.Create(ctx, volume); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	bound := claim.DeepCopy()
	bound.Spec.VolumeName = volume.Name
	metav1.SetMetaDataAnnotation(&bound.ObjectMeta, "volume.kubernetes.io/storage-provisioner", Provisioner)
	metav1.SetMetaDataAnnotation(&bound.ObjectMeta, "pv.kubernetes.io/bind-completed", "yes")
	metav1.SetMetaDataAnnotation(&bound.ObjectMeta, "pv.kubernetes.io/bound-by-controller", "yes")
	if err := patch(ctx, p.client, claim, bound); err != nil {
		return err
	}
	provisioned := bound.DeepCopy()
	provisioned.Status.Phase = corev1.ClaimBound
	provisioned.Status.AccessModes = claim.Spec.AccessModes
	provisioned.Status.Capacity = corev1.ResourceList{
		corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
	}
	return patchStatus(ctx, p.client, bound, provisioned)
}

// used says whether an instance uses a claim.
func (p *provisioner) used(ctx context.Context, claim *corev1.PersistentVolumeClaim) (bool, error) {
	users := &kubevirtv1.VirtualMachineInstanceList{}
	err := p.client.List(ctx, users, client.InNamespace(claim.Namespace), client.MatchingFields{claimIndex: claim.Name})
	return len(users.Items) > 0, err
}

// release lets a claim go once no instance uses it.
func (p *provisioner) release(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if used, err := p.used(ctx, claim); err != nil || used {
		return err
	}
	return removeFinalizer(ctx, p.client, claim, claimFinalizer)
}

func volumeFor(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": Provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: *claim.Spec.StorageClassName,
			AccessModes:      claim.Spec.AccessModes,
			VolumeMode:       claim.Spec.VolumeMode,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI: &corev1.CSIPersistentVolumeSource{Driver: Provisioner, VolumeHandle: name},
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: claimKind.Kind, Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
		},
	}
}

// reclaimer plays the controllers that bind, delete and protect volumes.
type reclaimer struct {
	client   client.Client
	contents *contents.Store
}

// Reconcile marks a volume as bound while its claim exists, and deletes it afterwards.
func (r *reclaimer) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	volume := &corev1.PersistentVolume{}
	if err := r.client.Get(ctx, request.NamespacedName, volume); err != nil {
		return reconcile.Result{}, err
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != Provisioner || volume.Spec.ClaimRef == nil {
		return reconcile.Result{}, nil
	}
	if volume.DeletionTimestamp != nil {
		if err := r.contents.Remove(volume.Spec.ClaimRef.UID); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, removeFinalizer(ctx, r.client, volume, volumeFinalizer)
	}
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: volume.Spec.ClaimRef.Namespace, Name: volume.Spec.ClaimRef.Name}
	err := r.client.Get(ctx, key, claim)
	if apierrors.IsNotFound(err) || err == nil && claim.UID != volume.Spec.ClaimRef.UID {
		return reconcile.Result{}, r.client.Delete(ctx, volume)
	}
	if err != nil || claim.Spec.VolumeName != volume.Name {
		return reconcile.Result{}, err
	}
	bound := volume.DeepCopy()
	bound.Status.Phase = corev1.VolumeBound
	return reconcile.Result{}, patchStatus(ctx, r.client, volume, bound)
}

func removeFinalizer(ctx context.Context, c client.Client, object client.Object, finalizers ...string) error {
	kept := object.DeepCopyObject().(client.Object)
	kept.SetFinalizers(slices.DeleteFunc(kept.GetFinalizers(), func(f string) bool {
		return slices.Contains(finalizers, f)
	}))
	return patch(ctx, c, object, kept)
}

// claimsNamed is the index function of claimIndex.
func claimsNamed(object client.Object) []string {
	vmi, ok := object.(*kubevirtv1.VirtualMachineInstance)
	if !ok {
		return nil
	}
	var names []string
	for _, volume := range vmi.Spec.Volumes {
		if name := claimName(volume); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// claimsOfInstance returns the claims that may be let go when an instance has gone.
func claimsOfInstance(_ context.Context, object client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range claimsNamed(object) {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: object.GetNamespace(),
			Name: name}})
	}
	return requests
}

// volumeOfClaim returns the volume that was made for a claim.
func volumeOfClaim(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: "pvc-" + string(object.GetUID())}}}
}

func (a *Agent) setUpStorage(ctx context.Context, manager ctrl.Manager, options Options) error {
	c := manager.GetClient()
	if err := a.control(manager, "claim", &corev1.PersistentVolumeClaim{}, &provisioner{c},
		on(&kubevirtv1.VirtualMachineInstance{}, claimsOfInstance)); err != nil {
		return err
	}
	if err := a.control(manager, "volume", &corev1.PersistentVolume{}, &reclaimer{c, options.Contents},
		on(&corev1.PersistentVolumeClaim{}, volumeOfClaim)); err != nil {
		return err
	}
	a.downloads = &downloads{
		running: ctx, live: manager.GetAPIReader(), contents: options.Contents, services: a.services, names: options.Names,
		room: options.Room, pass: a.gate.pass, changes: make(chan event.GenericEvent),
		jobs: map[types.NamespacedName]*download{},
	}
	d := &importer{
		client: c, events: manager.GetEventRecorder("cdi"), script: options.Script, schedule: newSchedule(),
		contents: options.Contents, downloads: a.downloads,
	}
	return a.control(manager, "datavolume", &cdiv1.DataVolume{}, d, on(&corev1.PersistentVolumeClaim{}, sameName),
		on(&kubevirtv1.VirtualMachine{}, volumesOfMachine), onWake(a.downloads.changes))
}
