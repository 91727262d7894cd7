package observed

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// networkVerdict is what addresses and NetworkConfigurations mean for a Machine.
type networkVerdict struct {
	// value, reason and message are of the condition NetworkReady.
	value           metav1.ConditionStatus
	reason, message string
	// ready says that Ready can be True.
	ready bool
}

// judgeNetwork asks of each recorded interface whether it has an address, and of each
// NetworkConfiguration whether it failed.
//
// An interface of a static network has the address that its NetworkConfiguration gives; without it
// Ready is not True. The guests of other networks ask for addresses themselves. Many have nobody
// who reports them, so a missing one is told in NetworkReady and does not keep Ready from being
// True, unless the NetworkConfiguration failed.
func (r *report) judgeNetwork(interfaces []vitistackv1alpha1.NetworkInterfaceStatus) networkVerdict {
	var missing []string
	failed, ready := r.failedConfigurations(), true
	for _, a := range r.Network.Record.Attachments {
		static := slices.Contains(r.Network.Static, a.Interface)
		if r.givenAddress(a) || !static && reportsAddress(a, interfaces) {
			continue
		}
		missing = append(missing, r.missingAddress(a, static))
		ready = ready && !static && failed[a.NetworkConfiguration] == ""
	}
	switch {
	case len(failed) > 0:
		var messages []string
		for configuration, message := range failed {
			messages = append(messages, fmt.Sprintf("NetworkConfiguration %s reports: %s", configuration, message))
		}
		slices.Sort(messages)
		return networkVerdict{isFalse, vitistackv1alpha1.ReasonNetworkConfigurationFailed, strings.Join(messages, "; "),
			ready}
	case len(missing) > 0:
		return networkVerdict{isFalse, vitistackv1alpha1.ReasonWaitingForAddresses, strings.Join(missing, "; "), ready}
	default:
		return networkVerdict{isTrue, vitistackv1alpha1.ReasonNetworkConfigured, "interfaces and addresses are there", true}
	}
}

// missingAddress says of whom an interface's address is awaited.
func (r *report) missingAddress(a vitistackv1alpha1.Attachment, static bool) string {
	runs := r.verdict != nil && r.verdict.phase == vitistackv1alpha1.MachinePhaseRunning
	switch {
	case static:
		return fmt.Sprintf(
			"interface %s waits for an address: the operator of NetworkNamespace %s gives it in NetworkConfiguration %s",
			a.Interface, a.NetworkNamespace, a.NetworkConfiguration)
	case !runs:
		return fmt.Sprintf("interface %s has no address while its guest does not run", a.Interface)
	default:
		return fmt.Sprintf("interface %s has no address that is known: its guest asks for one, and neither the guest nor "+
			"NetworkConfiguration %s reports it", a.Interface, a.NetworkConfiguration)
	}
}

// failedConfigurations are the messages of the NetworkConfigurations that failed, by name.
func (r *report) failedConfigurations() map[string]string {
	failed := map[string]string{}
	for _, nc := range r.Network.Configurations {
		if !strings.EqualFold(nc.Status.Phase, "Error") && !strings.EqualFold(nc.Status.Phase, "Failed") {
			continue
		}
		failed[nc.Name] = nc.Status.Message
		if nc.Status.Message == "" {
			failed[nc.Name] = fmt.Sprintf("the phase %s, without a message", word(nc.Status.Phase))
		}
	}
	return failed
}

// givenAddress says whether the NetworkConfiguration of an interface has an address for it. An
// entry with another MAC address is left over from an earlier Machine of that name.
func (r *report) givenAddress(a vitistackv1alpha1.Attachment) bool {
	for _, nc := range r.Network.Configurations {
		if nc.Name != a.NetworkConfiguration {
			continue
		}
		for _, i := range nc.Status.NetworkInterfaces {
			own := i.Name == a.Interface && (i.MacAddress == "" || strings.EqualFold(i.MacAddress, a.MAC))
			if own && len(routable(slices.Concat(i.IPv4Addresses, i.IPv6Addresses))) > 0 {
				return true
			}
		}
	}
	return false
}

// reportsAddress says whether the guest has an address on an interface at which others can reach
// it.
func reportsAddress(a vitistackv1alpha1.Attachment, interfaces []vitistackv1alpha1.NetworkInterfaceStatus) bool {
	return slices.ContainsFunc(interfaces, func(i vitistackv1alpha1.NetworkInterfaceStatus) bool {
		return (i.Name == a.Interface || strings.EqualFold(i.MACAddress, a.MAC)) && len(routable(i.IPAddresses)) > 0
	})
}
