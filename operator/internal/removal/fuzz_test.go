package removal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// FuzzDebts reads arbitrary entries of the ConfigMap of debts. A debt names by its ledger what is
// deleted, so that one which is accepted is whole, stands under its own key and is written as the
// same. A tombstone is written as the same, too, and none is taken for a debt.
func FuzzDebts(f *testing.F) {
	const ledger = `"ledger":{"config":"east","clusterUID":"c","namespace":"team-a","vmName":"vm-web","nonce":"n","vmUID":"v"}`
	f.Add("a-b", `{"machine":"web","uid":"a-b",`+ledger+`}`)
	f.Add("a-b.move", `{"machine":"web","uid":"a-b","move":"move","fence":"t.3",`+ledger+`,"disks":[{"kind":"DataVolume","name":"root","uid":"d"}]}`)
	f.Add("a-b", `{"machine":"web","uid":"c-d",`+ledger+`}`)
	f.Add("", `null`)
	f.Add("a.b", `{"uid":"a.b",`+strings.ReplaceAll(ledger, "team-a", "Team A")+`}`)
	f.Add(vitistackv1alpha1.TombstonePrefix+"v", `{"config":"east","clusterUID":"c","namespace":"team-a","name":"vm-web","machine":"web","at":7}`)
	f.Fuzz(func(t *testing.T, key, text string) {
		grave := Grave{VMUID: types.UID(key)}
		if json.Unmarshal([]byte(text), &grave) == nil {
			again := Grave{VMUID: types.UID(key)}
			if err := json.Unmarshal([]byte(grave.String()), &again); err != nil || grave != again {
				t.Errorf("%+v is read as %+v: %v", grave, again, err)
			}
		}
		debt, err := parseDebt(key, text)
		if err != nil {
			return
		}
		if debt.key() != key || debt.Ledger.Validate() != nil {
			t.Errorf("%q is accepted for %q", text, key)
		}
		written, err := json.Marshal(debt)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseDebt(key, string(written))
		if diff := cmp.Diff(debt, again); err != nil || diff != "" {
			t.Errorf("written and read again: %v\n-want +got:\n%s", err, diff)
		}
	})
}
