package v1alpha1

import (
	"errors"
	"strings"
	"testing"
)

func TestParseNetworkRecord(t *testing.T) {
	attachment := func(change func(*Attachment)) string {
		a := Attachment{
			Interface: "vlan30", NetworkNamespace: "lan", VLAN: 30, NetworkAttachmentDefinition: "vlan30",
			MAC: "02:00:00:00:00:01", NetworkConfiguration: "web",
		}
		change(&a)
		return NetworkRecord{Wish: "w", Attachments: []Attachment{a}}.String()
	}
	cases := map[string]struct {
		reason, text string
		invalid      bool
	}{
		"Ours": {
			reason: "a record that the operator wrote is read", text: attachment(func(*Attachment) {}),
		},
		"AdoptedInterface": {
			reason: "an adopted virtual machine may call an interface what a DNS label may not be",
			text:   attachment(func(a *Attachment) { a.Interface = "Net_1" }),
		},
		"OtherNamespace": {
			reason: "an adopted virtual machine may use a definition of another namespace",
			text:   attachment(func(a *Attachment) { a.NetworkAttachmentDefinition = "shared/fast" }),
		},
		"TwoSlashes": {
			reason:  "a name has no slash, so that a reference has one at most",
			text:    attachment(func(a *Attachment) { a.NetworkAttachmentDefinition = "a/b/c" }),
			invalid: true,
		},
		"BadInterface": {
			reason:  "a name that KubeVirt refuses was never one of an interface",
			text:    attachment(func(a *Attachment) { a.Interface = "a b" }),
			invalid: true,
		},
		"BadVLAN": {
			reason:  "there is no VLAN 4095",
			text:    attachment(func(a *Attachment) { a.VLAN = 4095 }),
			invalid: true,
		},
		"UnknownField": {
			reason:  "a record of a later release must not be half understood",
			text:    `{"wish":"","attachments":[],"later":1}`,
			invalid: true,
		},
		"Long": {
			reason:  "an annotation that is too long is not read at all",
			text:    strings.Repeat(" ", maxNetworkRecordLength+1),
			invalid: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseNetworkRecord(tc.text)
			if got := errors.Is(err, ErrInvalidNetworkRecord); got != tc.invalid {
				t.Errorf("\n%s\nParseNetworkRecord(...): want invalid %t, got %v", tc.reason, tc.invalid, err)
			}
		})
	}
}
