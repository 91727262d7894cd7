package move

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	// exportLife is how long an export stands whose operator never comes back.
	exportLife = 24 * time.Hour
	// tokenKey is where KubeVirt looks for the token of an export.
	tokenKey = "token"
	// headerKey is where the header stands that CDI's importer sends; the key has no meaning to it.
	headerKey = "header"
	// authorityKey is where CDI's importer looks for a certificate authority.
	authorityKey = "ca.pem"
	// tokenHeader is the HTTP header in which KubeVirt's exporter looks for the token.
	tokenHeader = "x-kubevirt-export-token: "
)

// labels are those of everything that is made for the Machine.
func (j *job) labels() map[string]string { return desired.Labels(j.machine, j.Options) }

// offer lets the source cluster offer the disks of the VirtualMachine, which is off. The token is the
// move's own.
func (j *job) offer(ctx context.Context, seen sight) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "creating the VirtualMachineExport of the move"}
	remote := seen.source.remote
	export := &exportv1.VirtualMachineExport{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: j.record.From.Namespace, Name: removal.OfferName(j.record.ID), Labels: j.labels(),
		},
		Spec: exportv1.VirtualMachineExportSpec{
			Source: corev1.TypedLocalObjectReference{
				APIGroup: ptr.To(kubevirtv1.GroupVersion.Group), Kind: "VirtualMachine", Name: j.record.From.VMName,
			},
			TokenSecretRef: ptr.To(removal.OfferName(j.record.ID)), TTLDuration: &metav1.Duration{Duration: exportLife},
		},
	}
	err := remote.Writer.Create(ctx, export, side.FieldOwner)
	if apierrors.IsAlreadyExists(err) {
		err = remote.Server.Get(ctx, client.ObjectKeyFromObject(export), export)
	}
	if err != nil {
		return problem.Remote(err, remote.Config, at)
	}
	token, err := j.token(ctx, seen)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: export.Namespace, Name: export.Name, Labels: j.labels(),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: exportv1.SchemeGroupVersion.String(), Kind: "VirtualMachineExport", Name: export.Name, UID: export.UID,
			}},
		},
		Data: map[string][]byte{tokenKey: []byte(token)},
	}
	err = client.IgnoreAlreadyExists(remote.Writer.Create(ctx, secret, side.FieldOwner))
	return problem.Remote(err, remote.Config, at)
}

// token is the one that the target sends already, where the export is made anew, or a new one.
func (j *job) token(ctx context.Context, seen sight) (string, error) {
	if seen.Target.There {
		sent := &corev1.Secret{}
		key := client.ObjectKey{Namespace: j.record.To.Namespace, Name: removal.OfferName(j.record.ID)}
		err := seen.target.remote.Server.Get(ctx, key, sent)
		if client.IgnoreNotFound(err) != nil {
			return "", problem.Remote(err, j.record.To.Config,
				problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "reading Secret " + key.Name})
		}
		if header := string(sent.Data[headerKey]); len(header) > len(tokenHeader) {
			return header[len(tokenHeader):], nil
		}
	}
	return rand.Text(), nil
}

// feed gives the target's disks what they are fetched with: the authority of the export and the
// header with its token. They belong to the VirtualMachine, and go with it at the latest.
func (j *job) feed(ctx context.Context, seen sight, vm *kubevirtv1.VirtualMachine) error {
	remote := seen.target.remote
	at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "creating what the disks are fetched with"}
	token := &corev1.Secret{}
	key := client.ObjectKey{Namespace: j.record.From.Namespace, Name: removal.OfferName(j.record.ID)}
	if err := seen.source.remote.Server.Get(ctx, key, token); err != nil {
		return problem.Remote(err, j.record.From.Config, at)
	}
	meta := metav1.ObjectMeta{
		Namespace: vm.Namespace, Name: removal.OfferName(j.record.ID), Labels: j.labels(), OwnerReferences: ownedBy(vm),
	}
	links := seen.source.export.Status.Links.External
	for _, object := range []client.Object{
		&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{authorityKey: links.Cert}},
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{
			headerKey: append([]byte(tokenHeader), token.Data[tokenKey]...),
		}},
	} {
		if err := client.IgnoreAlreadyExists(remote.Writer.Create(ctx, object, side.FieldOwner)); err != nil {
			return problem.Remote(err, remote.Config, at)
		}
	}
	return nil
}

func ownedBy(vm *kubevirtv1.VirtualMachine) []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion: kubevirtv1.GroupVersion.String(), Kind: "VirtualMachine", Name: vm.Name, UID: vm.UID,
	}}
}

// links are where the disks are fetched, by the name of the claim. A compressed image is preferred:
// it carries its own checksum and length, so that one that ends early is noticed.
func links(export *exportv1.VirtualMachineExport) map[string]string {
	urls := map[string]string{}
	for _, volume := range export.Status.Links.External.Volumes {
		for _, format := range volume.Formats {
			switch {
			case format.Format == exportv1.KubeVirtGz,
				format.Format == exportv1.KubeVirtRaw && urls[volume.Name] == "":
				urls[volume.Name] = format.Url
			}
		}
	}
	return urls
}

// tidy deletes what only the move needed.
func (j *job) tidy(ctx context.Context, seen sight) error {
	if seen.source.export != nil && !seen.Source.Silent {
		if err := deleteObject(ctx, seen.source.remote, seen.source.export); err != nil {
			return err
		}
	}
	if seen.Target.Silent || !seen.Target.Left {
		return nil
	}
	for _, object := range []client.Object{&corev1.ConfigMap{}, &corev1.Secret{}} { // both have to be gone
		key := client.ObjectKey{Namespace: j.record.To.Namespace, Name: removal.OfferName(j.record.ID)}
		err := seen.target.remote.Server.Get(ctx, key, object)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return problem.Remote(err, j.record.To.Config,
				problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "reading " + key.Name})
		}
		if !desired.IsOurs(object.GetLabels(), j.machine.UID, j.Options.SupervisorUID) {
			return problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonMoveUndecided,
				"%s of %s is not the move's: %T", key.Name, j.record.To.Config, object)
		}
		if err := deleteObject(ctx, seen.target.remote, object); err != nil {
			return err
		}
	}
	return nil
}

// deleteObject deletes the very object that was seen.
func deleteObject(ctx context.Context, remote side.Remote, object client.Object) error {
	uid := object.GetUID()
	err := client.IgnoreNotFound(remote.Writer.Delete(ctx, object, client.Preconditions{UID: &uid}))
	return problem.Remote(err, remote.Config, problem.At{Condition: vitistackv1alpha1.ConditionReady,
		Doing: fmt.Sprintf("deleting %s", object.GetName())})
}
