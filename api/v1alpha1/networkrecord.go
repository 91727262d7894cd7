package v1alpha1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ErrInvalidNetworkRecord is in the chain of every error of [ParseNetworkRecord].
var ErrInvalidNetworkRecord = errors.New("invalid network record")

// interfaceName is what KubeVirt takes as the name of an interface: adopted virtual machines may
// have any.
var interfaceName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,253}$`)

// The bounds of a network record. KubeVirt takes far fewer interfaces than that.
const (
	maxNetworkRecordLength = 32 << 10
	maxAttachments         = 64
)

// NetworkRecord is the operator's own record of how a Machine's virtual machine is attached to
// networks, kept as JSON in the annotation [AnnotationPlacementNetwork]. It is decided once, when
// the virtual machine is made or adopted. What happens to a NetworkNamespace afterwards does not
// change it; only a change of the Machine's own spec.network does.
type NetworkRecord struct {
	// Wish is a digest of the Machine's spec.network that the attachments were decided for.
	Wish string `json:"wish"`
	// Attachments are the interfaces in the order in which the virtual machine has them.
	Attachments []Attachment `json:"attachments"`
}

// Attachment is one interface of a virtual machine, and the network that it is attached to.
type Attachment struct {
	// Interface is the name of the interface and of its network in the virtual machine.
	Interface string `json:"interface"`
	// Wanted is the name of the entry of spec.network.interfaces that asked for it, "" where that
	// entry has none.
	Wanted string `json:"wanted,omitempty"`
	// Subnet is the subnet of that entry, "" where it names none.
	Subnet string `json:"subnet,omitempty"`
	// NetworkNamespace is the name of the NetworkNamespace, "" where there is none.
	NetworkNamespace string `json:"networkNamespace,omitempty"`
	// NetworkNamespaceUID is its UID, "" where there is none or where it is not known.
	NetworkNamespaceUID types.UID `json:"networkNamespaceUID,omitempty"`
	// VLAN is 1 to 4094, or 0 for untagged.
	VLAN int `json:"vlan,omitempty"`
	// NetworkAttachmentDefinition is the name of that object in the remote namespace, "" on the pod
	// network. An adopted virtual machine may use one of another namespace: then it is the namespace,
	// a slash and the name.
	NetworkAttachmentDefinition string `json:"networkAttachmentDefinition,omitempty"`
	// MAC is the interface's address, with colons and in lower case.
	MAC string `json:"mac"`
	// NetworkConfiguration is the name of the NetworkConfiguration, in the Machine's namespace, that
	// asks for the interface's addresses.
	NetworkConfiguration string `json:"networkConfiguration"`
}

// ParseNetworkRecord reads the JSON form. Unknown fields, a second value, too many attachments, and
// names that no object can have are errors; they wrap [ErrInvalidNetworkRecord] and repeat no
// value.
func ParseNetworkRecord(annotation string) (NetworkRecord, error) {
	if len(annotation) > maxNetworkRecordLength {
		return NetworkRecord{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalidNetworkRecord, maxNetworkRecordLength)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(annotation)))
	decoder.DisallowUnknownFields()
	var record NetworkRecord
	if err := decoder.Decode(&record); err != nil {
		return NetworkRecord{}, fmt.Errorf("%w: not the JSON that the operator writes", ErrInvalidNetworkRecord)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return NetworkRecord{}, fmt.Errorf("%w: something follows the JSON object", ErrInvalidNetworkRecord)
	}
	if err := record.Validate(); err != nil {
		return NetworkRecord{}, err
	}
	return record, nil
}

// Validate returns an error where the record has what [ParseNetworkRecord] would refuse; it wraps
// [ErrInvalidNetworkRecord] and repeats no value.
func (r NetworkRecord) Validate() error {
	if len(r.Attachments) > maxAttachments {
		return fmt.Errorf("%w: more than %d attachments", ErrInvalidNetworkRecord, maxAttachments)
	}
	for i, attachment := range r.Attachments {
		if field := attachment.invalidField(); field != "" {
			return fmt.Errorf("%w: attachment %d: field %q", ErrInvalidNetworkRecord, i, field)
		}
	}
	return nil
}

// invalidField returns the JSON name of the first field that is not what it must be, or "".
func (a Attachment) invalidField() string {
	switch {
	case !interfaceName.MatchString(a.Interface):
		return "interface"
	case a.NetworkNamespace != "" && len(validation.IsDNS1123Subdomain(a.NetworkNamespace)) > 0:
		return "networkNamespace"
	case a.VLAN < 0 || a.VLAN > 4094:
		return "vlan"
	case a.NetworkAttachmentDefinition != "" && !isReference(a.NetworkAttachmentDefinition):
		return "networkAttachmentDefinition"
	case a.MAC != "" && len(a.MAC) != len("02:00:00:00:00:00"):
		return "mac"
	case len(validation.IsDNS1123Subdomain(a.NetworkConfiguration)) > 0:
		return "networkConfiguration"
	default:
		return ""
	}
}

// isReference says whether a text is a name, or a namespace, a slash and a name.
func isReference(text string) bool {
	namespace, name, found := strings.Cut(text, "/")
	if !found {
		namespace, name = "default", text
	}
	return len(validation.IsDNS1123Label(namespace)) == 0 && len(validation.IsDNS1123Subdomain(name)) == 0
}

// String returns the JSON form, with the fields always in the same order.
func (r NetworkRecord) String() string {
	text, err := json.Marshal(r)
	if err != nil { // cannot happen: a struct of strings and numbers always encodes
		return ""
	}
	return string(text)
}
