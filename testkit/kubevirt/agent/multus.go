package agent

import (
	"encoding/json"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

const (
	// networksAnnotation asks Multus for networks, networkStatusAnnotation is its answer. Both are
	// laid down by the "Kubernetes Network Custom Resource Definition De-facto Standard".
	networksAnnotation      = "k8s.v1.cni.cncf.io/networks"
	networkStatusAnnotation = "k8s.v1.cni.cncf.io/network-status"
)

// selection is an element of the first annotation, attachment one of the second.
type selection struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Interface string `json:"interface"`
	MAC       string `json:"mac"`
}

type attachment struct {
	Name      string   `json:"name"`
	Interface string   `json:"interface,omitempty"`
	IPs       []string `json:"ips,omitempty"`
	MAC       string   `json:"mac,omitempty"`
	Default   bool     `json:"default,omitempty"`
	DNS       struct{} `json:"dns"`
}

// attach writes Multus's answer on a Pod that asks for networks.
func attach(pod *corev1.Pod, addresses []netip.Addr) error {
	asked := pod.Annotations[networksAnnotation]
	if asked == "" {
		return nil
	}
	var selections []selection
	if err := json.Unmarshal([]byte(asked), &selections); err != nil {
		return fmt.Errorf("annotation %s: %w", networksAnnotation, err)
	}
	attachments := []attachment{{Name: "k8s", Interface: "eth0", Default: true}}
	for _, address := range addresses {
		attachments[0].IPs = append(attachments[0].IPs, address.String())
	}
	for _, s := range selections {
		if s.Namespace == "" {
			s.Namespace = pod.Namespace
		}
		attachments = append(attachments, attachment{Name: s.Namespace + "/" + s.Name, Interface: s.Interface, MAC: s.MAC})
	}
	answer, err := json.Marshal(attachments)
	if err != nil {
		return err
	}
	pod.Annotations[networkStatusAnnotation] = string(answer)
	return nil
}
