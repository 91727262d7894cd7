package desired

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Unasked is the Wanted of an attachment that the virtual machine has and that no entry of
// spec.network.interfaces asked for, for example an interface that a person added by hand. It is
// never taken away. No entry can have this name.
const Unasked = "-"

// AttachInput is what the network attachments of a Machine depend on.
type AttachInput struct {
	// Machine that they are for.
	Machine *vitistackv1alpha1.Machine
	// Recorded is what was decided before, nil where nothing was.
	Recorded *vitistackv1alpha1.NetworkRecord
	// VM is the Machine's VirtualMachine, nil where there is none. It counts only where nothing is
	// recorded.
	VM *kubevirtv1.VirtualMachine
	// Configurations are NetworkConfigurations of the Machine's namespace. Those of other Machines
	// have no effect.
	Configurations []vitistackv1alpha1.NetworkConfiguration
	// NetworkNamespaces are those of the Machine's namespace; others have no effect.
	NetworkNamespaces []vitistackv1alpha1.NetworkNamespace
	// Former is the UID of the Machine of this name whose virtual machine this one takes over, ""
	// for none.
	Former types.UID
	// Options of the operator.
	Options Options
}

// NetworkWish returns a digest of the Machine's spec.network as far as attachments depend on it:
// the NetworkNamespace that it names, and the name and subnet of each interface. Which one is
// primary has no part in it: an interface keeps its name and its place. The text before the dot
// stands for the NetworkNamespace alone.
func NetworkWish(machine *vitistackv1alpha1.Machine) string {
	var entries [][2]string
	for _, entry := range machine.Spec.Network.Interfaces {
		entries = append(entries, [2]string{entry.Name, entry.Subnet})
	}
	text, _ := json.Marshal(entries) // texts alone: there is no error
	return ownWish(machine) + "." + digest(string(text), nameDigest)
}

func ownWish(machine *vitistackv1alpha1.Machine) string {
	return digest(machine.Spec.Network.NetworkNamespaceName, uidDigits)
}

// Attach returns the network attachments of a Machine. It decides each of them once:
//
//   - Recorded is returned as it is while the Machine's spec.network is what it was. What happens
//     to a NetworkNamespace changes nothing.
//   - Where the Machine changed, each recorded attachment that is still asked for stays, with its
//     name and address. New ones follow at the end, and those that are no longer asked for go.
//   - Where nothing is recorded, a virtual machine that exists is attached as it is. Then
//     NetworkNamespaces that are ambiguous, gone or not ready hold up nothing.
//   - Else NetworkNamespaces decide.
//
// Errors are those of [SelectNetworkNamespace] and [NetworkFor], and [*Refusal] of reason
// InvalidSpec. With an error Attach returns what is recorded, so that the caller can tell the error
// and go on with the virtual machine as it is.
func Attach(in AttachInput) (vitistackv1alpha1.NetworkRecord, error) {
	if in.Machine.UID == "" {
		return vitistackv1alpha1.NetworkRecord{}, errNoUID
	}
	in.Configurations = in.ownConfigurations()
	switch wish := NetworkWish(in.Machine); {
	case in.Recorded != nil && in.Recorded.Wish == wish:
		return cloneRecord(*in.Recorded), nil
	case in.Recorded != nil:
		attachments, err := in.change(in.Recorded.Attachments)
		if err != nil {
			return cloneRecord(*in.Recorded), err
		}
		return vitistackv1alpha1.NetworkRecord{Wish: wish, Attachments: attachments}, nil
	case in.VM != nil && in.VM.Spec.Template != nil:
		attachments, err := in.takeOver()
		record := vitistackv1alpha1.NetworkRecord{Wish: wish, Attachments: attachments}
		if err != nil {
			return record, err
		}
		if err := record.Validate(); err != nil { // what is written down must be read again
			return record, invalid("the interfaces of VirtualMachine %s cannot be recorded: %v", in.VM.Name, err)
		}
		return record, nil
	default:
		attachments, err := in.change(nil)
		if err != nil {
			return vitistackv1alpha1.NetworkRecord{}, err
		}
		return vitistackv1alpha1.NetworkRecord{Wish: wish, Attachments: attachments}, nil
	}
}

func cloneRecord(record vitistackv1alpha1.NetworkRecord) vitistackv1alpha1.NetworkRecord {
	record.Attachments = slices.Clone(record.Attachments)
	return record
}

// entries returns what the Machine asks for, the primary first: that one boots from the network,
// and is named as its network is, because operators of addresses know it by that name. A Machine
// that lists no interfaces asks for one.
func (in AttachInput) entries() []vitistackv1alpha1.NetworkInterface {
	wanted := slices.Clone(in.Machine.Spec.Network.Interfaces)
	if len(wanted) == 0 {
		return make([]vitistackv1alpha1.NetworkInterface, 1)
	}
	isPrimary := func(i vitistackv1alpha1.NetworkInterface) bool { return i.Primary }
	if primary := slices.IndexFunc(wanted, isPrimary); primary > 0 {
		wanted[0], wanted[primary] = wanted[primary], wanted[0]
	}
	return wanted
}

// change keeps the recorded attachments that are still asked for, and adds one for each entry that
// has none.
func (in AttachInput) change(recorded []vitistackv1alpha1.Attachment) ([]vitistackv1alpha1.Attachment, error) {
	entries := in.entries()
	kept, open := in.keep(recorded, entries)
	dropped := without(recorded, kept)
	for i, entry := range entries {
		if !open[i] {
			continue
		}
		next, err := in.add(i == 0, entry, kept, dropped)
		if err != nil {
			return nil, err
		}
		if err := checkBeside(next, kept); err != nil {
			return nil, err
		}
		kept = append(kept, next)
	}
	return kept, nil
}

// keep returns the recorded attachments that stay, in their order, and for each entry whether it is
// still open.
func (in AttachInput) keep(
	recorded []vitistackv1alpha1.Attachment, entries []vitistackv1alpha1.NetworkInterface,
) (kept []vitistackv1alpha1.Attachment, open []bool) {
	entryOf := make([]int, len(recorded)) // -1: none
	for i := range entryOf {
		entryOf[i] = -1
	}
	open = slices.Repeat([]bool{true}, len(entries))
	for _, fits := range []func(vitistackv1alpha1.Attachment, vitistackv1alpha1.NetworkInterface) bool{
		in.asksAgain, asksByNetwork, asksByName,
	} {
		for i, attachment := range recorded {
			for j, entry := range entries {
				if entryOf[i] < 0 && open[j] && fits(attachment, entry) {
					entryOf[i], open[j] = j, false
				}
			}
		}
	}
	for i, attachment := range recorded {
		if entryOf[i] >= 0 {
			attachment.Wanted, attachment.Subnet = entries[entryOf[i]].Name, entries[entryOf[i]].Subnet
		}
		if entryOf[i] >= 0 || attachment.Wanted == Unasked {
			kept = append(kept, attachment)
		}
	}
	return kept, open
}

// asksAgain says whether an entry is the one that an attachment was made for. An entry without a
// subnet is on the Machine's own NetworkNamespace: it is another one once the Machine names
// another.
func (in AttachInput) asksAgain(a vitistackv1alpha1.Attachment, entry vitistackv1alpha1.NetworkInterface) bool {
	if a.Wanted != entry.Name || a.Subnet != entry.Subnet {
		return false
	}
	own := in.Machine.Spec.Network.NetworkNamespaceName
	before, _, _ := strings.Cut(in.Recorded.Wish, ".")
	return entry.Subnet != "" || own == "" || own == a.NetworkNamespace || before == ownWish(in.Machine)
}

// asksByNetwork says whether an entry of the same name now spells out the NetworkNamespace that the
// attachment is on.
func asksByNetwork(a vitistackv1alpha1.Attachment, entry vitistackv1alpha1.NetworkInterface) bool {
	return a.Wanted == entry.Name && entry.Subnet != "" && entry.Subnet == a.NetworkNamespace
}

// asksByName says whether an entry asks for an interface that the virtual machine has without
// having been asked for.
func asksByName(a vitistackv1alpha1.Attachment, entry vitistackv1alpha1.NetworkInterface) bool {
	return a.Wanted == Unasked && a.Interface == entry.Name
}

func without(all, some []vitistackv1alpha1.Attachment) []vitistackv1alpha1.Attachment {
	return slices.DeleteFunc(slices.Clone(all), func(a vitistackv1alpha1.Attachment) bool {
		_, found := attachmentOf(some, a.Interface)
		return found
	})
}

func attachmentOf(all []vitistackv1alpha1.Attachment, name string) (vitistackv1alpha1.Attachment, bool) {
	i := slices.IndexFunc(all, func(a vitistackv1alpha1.Attachment) bool { return a.Interface == name })
	if i < 0 {
		return vitistackv1alpha1.Attachment{}, false
	}
	return all[i], true
}

// checkBeside refuses an interface that cannot be beside the others.
func checkBeside(a vitistackv1alpha1.Attachment, others []vitistackv1alpha1.Attachment) error {
	if problems := validation.IsDNS1123Label(a.Interface); len(problems) > 0 {
		return invalid("network.interfaces: %q: %s", a.Interface, strings.Join(problems, "; "))
	}
	for _, b := range others {
		if a.Interface == b.Interface {
			return invalid("network.interfaces: two are called %q: give the second a name", a.Interface)
		}
		if a.NetworkAttachmentDefinition == "" && b.NetworkAttachmentDefinition == "" {
			return invalid("network.interfaces: %q and %q are both on the pod network, which takes one", b.Interface,
				a.Interface)
		}
	}
	return nil
}

// ownConfigurations returns the NetworkConfigurations that are the Machine's, or its former one's.
func (in AttachInput) ownConfigurations() []vitistackv1alpha1.NetworkConfiguration {
	var own []vitistackv1alpha1.NetworkConfiguration
	for i := range in.Configurations {
		existing := &in.Configurations[i]
		owner := NetworkConfigurationInput{
			Machine: in.Machine, Name: existing.Name, Existing: existing, Former: in.Former, Options: in.Options,
		}
		if existing.Namespace == in.Machine.Namespace && owner.owns() {
			own = append(own, *existing)
		}
	}
	return own
}
