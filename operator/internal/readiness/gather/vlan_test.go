package gather

import "testing"

func TestVLANOf(t *testing.T) {
	for config, want := range map[string]int{
		`{"type": "bridge", "vlan": 7}`:                               7,
		`{"plugins": [{"type": "tuning"}, {"type": "x", "vlan": 9}]}`: 9,
		`{"type": "bridge"}`:                                          0,
		`no JSON`:                                                     0,
		``:                                                            0,
	} {
		if got := vlanOf(config); got != want {
			t.Errorf("%s: %d, want %d", config, got, want)
		}
	}
}
