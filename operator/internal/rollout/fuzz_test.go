package rollout

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// FuzzAllowed reads what people write as spec.maxUnavailable, a number or a share: never more than
// all Machines at once by a share, at least one where a share is more than nothing, and what makes no
// sense lets none begin and says so.
func FuzzAllowed(f *testing.F) {
	for _, text := range []string{`1`, `0`, `-1`, `2147483647`, `"20%"`, `"100%"`, `"0%"`, `"101%"`, `"-5%"`, `"5"`, `"%"`, `"1.5%"`, `"+1%"`,
		`"99999999999999999999%"`, `"00001%"`, `""`, `"\u0031%"`, `" 1%"`} {
		f.Add(text, uint16(50))
	}
	f.Fuzz(func(t *testing.T, text string, all uint16) {
		most := &intstr.IntOrString{}
		if json.Unmarshal([]byte(text), most) != nil {
			return // an API server hands out only what is of its type
		}
		count, wrong := allowed(most, int(all))
		isShare := most.Type == intstr.String
		switch {
		case count < 0, isShare && count > max(1, int(all)):
			t.Errorf("%s of %d Machines are %d", text, all, count)
		case wrong != "" && count != 0:
			t.Errorf("%s is wrong and lets %d begin", text, count)
		case wrong == "" && isShare && !strings.HasSuffix(most.StrVal, "%"):
			t.Errorf("%s is taken for a share", text)
		}
		if more, _ := allowed(most, int(all)+1); wrong == "" && more < count {
			t.Errorf("%s are %d of %d, and %d of one more", text, count, all, more)
		}
	})
}
