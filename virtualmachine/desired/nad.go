package desired

import (
	"encoding/json"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// NetworkAttachmentDefinitionKind is the kind that attaches virtual machines to a VLAN, in the
// remote cluster.
var NetworkAttachmentDefinitionKind = schema.GroupVersionKind{
	Group: "k8s.cni.cncf.io", Version: "v1", Kind: "NetworkAttachmentDefinition",
}

// bridgeName is the bridge that every node of a remote cluster has.
const bridgeName = "br0"

// bridgeConfig is the configuration of the CNI plug-in bridge. No other plug-in is chained to it:
// nodes may lack them. Without a VLAN the bridge takes untagged frames.
type bridgeConfig struct {
	CNIVersion string   `json:"cniVersion"`
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Bridge     string   `json:"bridge"`
	VLAN       int      `json:"vlan,omitempty"`
	IPAM       struct{} `json:"ipam"`
}

// NetworkAttachmentDefinition returns the NetworkAttachmentDefinition of an attachment in a
// namespace of the remote cluster. nil means that there is none to make: the interface is on the
// pod network, or on a definition that a person made and named. All Machines of the namespace share
// it: it is created where it is absent, else left alone, and belongs to none of them.
func NetworkAttachmentDefinition(
	namespace string, attachment vitistackv1alpha1.Attachment, options Options,
) (*unstructured.Unstructured, error) {
	name := attachment.NetworkAttachmentDefinition
	if vlan, ours := vlanOf(name); !ours || vlan != attachment.VLAN {
		return nil, nil
	}
	config, err := json.Marshal(bridgeConfig{
		CNIVersion: options.cniVersion(), Name: name, Type: "bridge", Bridge: bridgeName, VLAN: attachment.VLAN,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the network %q: %w", name, err)
	}
	nad := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"config": string(config)}}}
	nad.SetGroupVersionKind(NetworkAttachmentDefinitionKind)
	nad.SetNamespace(namespace)
	nad.SetName(name)
	nad.SetLabels(map[string]string{
		vitistackv1alpha1.LabelManagedBy: options.managedBy(),
		vitistackv1alpha1.LabelVLANID:    strconv.Itoa(attachment.VLAN),
	})
	return nad, nil
}
