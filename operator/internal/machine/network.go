package machine

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// errNoUID is for Machines that never went through an API server.
var errNoUID = &Blocked{
	Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonInvalidSpec,
	Message: "the Machine has no UID",
}

// attach decides on the networks and keeps the Machine's NetworkConfigurations, one for each, in the supervisor cluster.
func (p *pass) attach(ctx context.Context) error {
	if p.uid() == "" {
		return errNoUID
	}
	networkNamespaces := &vitistackv1alpha1.NetworkNamespaceList{}
	if err := p.List(ctx, networkNamespaces, client.InNamespace(p.machine.Namespace)); err != nil {
		return fmt.Errorf("listing NetworkNamespaces: %w", err)
	}
	p.read.addNetworks(networkNamespaces)
	var err error
	if p.attachments, err = desired.Attachments(p.machine, networkNamespaces.Items); err != nil {
		return err
	}
	for _, network := range desired.NetworkNamespaces(p.attachments) {
		if err := p.applyNetworkConfiguration(ctx, network); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) applyNetworkConfiguration(ctx context.Context, network string) error {
	key := desired.NetworkConfigurationKey(p.machine, p.attachments, network)
	existing, err := readNetworkConfiguration(ctx, p.Client, key)
	if err != nil {
		return err
	}
	if existing != nil {
		p.read.add(existing.ResourceVersion)
	}
	wanted, err := p.wantedNetworkConfiguration(network, existing)
	if err != nil {
		return err
	}
	if existing == nil {
		err := p.Create(ctx, wanted)
		if apierrors.IsAlreadyExists(err) { // the cache is behind
			if existing, err = readNetworkConfiguration(ctx, p.live, key); err != nil {
				return err
			}
			if existing == nil {
				return errors.New("the NetworkConfiguration came and went")
			}
			if wanted, err = p.wantedNetworkConfiguration(network, existing); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("creating the NetworkConfiguration: %w", err)
		}
	}
	if existing != nil {
		existing.TypeMeta = wanted.TypeMeta
	}
	if existing != nil && !equality.Semantic.DeepEqual(existing, wanted) {
		// Guarded: owner references are a list that a patch replaces.
		if err := p.Patch(ctx, wanted, client.MergeFromWithOptions(existing, client.MergeFromWithOptimisticLock{})); err != nil {
			return fmt.Errorf("changing the NetworkConfiguration: %w", err)
		}
	}
	p.networkConfigurations = append(p.networkConfigurations, key)
	p.networkConfiguration = desired.AddInterfaces(p.networkConfiguration, wanted)
	return nil
}

func (p *pass) wantedNetworkConfiguration(network string, existing *vitistackv1alpha1.NetworkConfiguration) (*vitistackv1alpha1.NetworkConfiguration, error) {
	return desired.NetworkConfiguration(desired.NetworkConfigurationInput{
		Machine: p.machine, Attachments: p.attachments, NetworkNamespace: network, Existing: existing,
		Live: desired.Interfaces(p.vm), Former: p.former, Options: p.settings.Desired,
	})
}

// readNetworkConfiguration returns the one of a name, or nil.
func readNetworkConfiguration(ctx context.Context, reader client.Reader, key client.ObjectKey) (*vitistackv1alpha1.NetworkConfiguration, error) {
	found := &vitistackv1alpha1.NetworkConfiguration{}
	err := reader.Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the NetworkConfiguration: %w", err)
	}
	return found, nil
}

// deleteNetworkConfigurations deletes the Machine's NetworkConfigurations: their addresses are free only now that no virtual machine uses them.
func (p *pass) deleteNetworkConfigurations(ctx context.Context) error {
	list := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := p.List(ctx, list, client.InNamespace(p.machine.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing NetworkConfigurations: %w", err)
	}
	for i := range list.Items {
		existing := &list.Items[i]
		if !existing.DeletionTimestamp.IsZero() || !desired.OwnsNetworkConfiguration(p.machine, existing, p.settings.Desired) {
			continue
		}
		if err := p.Delete(ctx, existing, client.Preconditions{UID: &existing.UID}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting the NetworkConfiguration: %w", err)
		}
	}
	return nil
}
