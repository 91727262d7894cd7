package desired_test

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestMAC(t *testing.T) {
	cases := map[string]struct {
		reason, name, set, want, wantErr string
	}{
		"Hashed":  {reason: "all but the first octet come out of the hash", name: "default", want: "02:41:d6:dc:55:63"},
		"Set":     {reason: "a site may reserve the second octet", name: "default", set: "12", want: "02:12:41:d6:dc:55"},
		"Other":   {reason: "another interface, another address", name: "vlan10", want: "02:13:50:7e:d1:e1"},
		"NotHex":  {reason: "letters past f are none", name: "default", set: "zz", wantErr: "refusal/InvalidSpec"},
		"TooLong": {reason: "one octet, not two", name: "default", set: "1234", wantErr: "refusal/InvalidSpec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desired.MAC(machineUID, tc.name, tc.set)
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, reasonOf(err)}); diff != "" {
				t.Errorf("\n%s\nMAC(%q, %q): -want +got:\n%s", tc.reason, tc.name, tc.set, diff)
			}
		})
	}
}

// TestMACProperties: locally administered, unicast, stable (T13: each retry drew a new one), and as
// ParseMAC reads it.
func TestMACProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		uid := types.UID(rapid.String().Draw(t, "uid"))
		name := rapid.String().Draw(t, "name")
		set := rapid.SampledFrom([]string{"", "00", "12", "fF"}).Draw(t, "set")
		mac, err := desired.MAC(uid, name, set)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := net.ParseMAC(mac)
		if err != nil || len(parsed) != 6 {
			t.Fatalf("MAC %q: %v", mac, err)
		}
		if parsed[0]&1 != 0 || parsed[0]&2 == 0 {
			t.Errorf("MAC %q is not unicast and locally administered", mac)
		}
		if again, _ := desired.MAC(uid, name, set); again != mac {
			t.Errorf("MAC is %q, then %q", mac, again)
		}
		if got, ok := desired.ParseMAC(mac); !ok || got != mac {
			t.Errorf("ParseMAC(%q) = %q, %t", mac, got, ok)
		}
	})
}

func TestParseMAC(t *testing.T) {
	cases := map[string]struct {
		reason, address, want string
		ok                    bool
	}{
		"Upper": {reason: "letters' case is no difference (D7)", address: "02:AB:00:00:00:01", want: "02:ab:00:00:00:01",
			ok: true},
		"Dashes":    {reason: "nor is the separator", address: "02-ab-00-00-00-01", want: "02:ab:00:00:00:01", ok: true},
		"Zero":      {reason: "a loop-back device's is none (T7)", address: "00:00:00:00:00:00"},
		"Empty":     {reason: "nothing is none", address: ""},
		"Multicast": {reason: "no interface has one", address: "01:00:5e:00:00:01"},
		"Long":      {reason: "eight octets are another kind", address: "02:00:00:00:00:00:00:01"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := desired.ParseMAC(tc.address)
			if got != tc.want || ok != tc.ok {
				t.Errorf("\n%s\nParseMAC(%q): want %q, %t, got %q, %t", tc.reason, tc.address, tc.want, tc.ok, got, ok)
			}
		})
	}
}

func TestFirmwareUUID(t *testing.T) {
	cases := map[string]struct {
		reason    string
		uid, want types.UID
	}{
		"UUID": {reason: "the guest's system UUID is the Machine's UID", uid: machineUID, want: machineUID},
		"Other": {reason: "what is no UUID gives one, always the same", uid: "machine-1",
			want: "b5f5dd7a-993d-5ed0-a5a9-600f844db99f"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, desired.FirmwareUUID(tc.uid)); diff != "" {
				t.Errorf("\n%s\nFirmwareUUID(%q): -want +got:\n%s", tc.reason, tc.uid, diff)
			}
		})
	}
}
