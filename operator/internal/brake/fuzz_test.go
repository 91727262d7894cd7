package brake

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// FuzzConsent reads what people write to let deletions go: only true on a Machine, and a time that is
// not over, are consent. Everything else is none, and what is wrong is told so that it can be shown.
func FuzzConsent(f *testing.F) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, value := range []string{"", "true", "True", "yes", "2026-03-04T05:06:08Z", "2026-03-04T05:06:07Z", "2026-03-04T05:06:07+23:59",
		"0000-01-01T00:00:00Z", "2026-03-04", "9999-12-31T23:59:59Z", "5m", "\x1b[2J", "2026-03-04t05:06:08z", "é\n"} {
		f.Add(value, true)
		f.Add(value, false)
	}
	f.Fuzz(func(t *testing.T, value string, forOne bool) {
		given, wrong := consents(value, forOne, now)
		until, err := time.Parse(time.RFC3339, value)
		if want := forOne && value == "true" || err == nil && until.After(now); given != want {
			t.Errorf("%q on a Machine %v is consent: %v", value, forOne, given)
		}
		if told := wrong != ""; told != (!given && value != "" && err != nil) {
			t.Errorf("%q: %q is wrong", value, wrong)
		}
		if strings.ContainsFunc(wrong, unicode.IsControl) {
			t.Errorf("characters that are not shown: %q", wrong)
		}
	})
}

// FuzzRule reads arbitrary values of --deletion-brake: what is accepted is written as the same rule.
func FuzzRule(f *testing.F) {
	for _, text := range []string{"off", "10,30%,5m", "1,0%,1s", "10,30,5m", "10,30%,90s", "10,100%,1h0m0s", "0,0%,0s", "99999999999999999999,1%,1s",
		"+1,+1%,+1h", "1,1%,1.5h", "1,1%,1h1ns", "-1,101%,-5m", ",,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(rule.String())
		if err != nil || again != rule {
			t.Errorf("%q is %+v, written as %q, read as %+v: %v", text, rule, rule, again, err)
		}
		if !rule.IsOff() && (rule.Number < 1 || rule.Percent < 0 || rule.Percent > 100 || rule.Window < time.Second) {
			t.Errorf("%q is accepted as %+v", text, rule)
		}
	})
}

// FuzzBook reads arbitrary entries of the ConfigMap of deletions: what is taken up is written as the
// same entry, and under the same key.
func FuzzBook(f *testing.F) {
	f.Add("a-b", `{"at":"2026-03-04T05:06:07Z","config":"east","namespace":"team-a"}`)
	f.Add(vitistackv1alpha1.KeptPrefix+"a-b", `{"namespace":"team-a","name":"web","config":"east","vmUID":"c-d"}`)
	f.Add(vitistackv1alpha1.KeptPrefix, `null`)
	f.Add("", `{"at":"0001-01-01T00:00:00Z"}`)
	f.Add("a", `{"at":"2026-03-04T05:06:07.123456789+23:59","at":7}`)
	f.Fuzz(func(t *testing.T, key, text string) {
		found := page{letGo: map[types.UID]Entry{}, keeps: map[types.NamespacedName]Keep{}}
		if err := found.add(key, text); err != nil {
			if len(found.letGo)+len(found.keeps) > 0 {
				t.Errorf("%q is refused and taken up", text)
			}
			return
		}
		again := page{letGo: map[types.UID]Entry{}, keeps: map[types.NamespacedName]Keep{}}
		for uid, entry := range found.letGo {
			if err := again.add(string(uid), entry.String()); err != nil {
				t.Errorf("%q is written as %q: %v", text, entry, err)
			}
		}
		for _, keep := range found.keeps {
			written, err := json.Marshal(keep)
			if err != nil || keep.bookKey() != key || again.add(keep.bookKey(), string(written)) != nil {
				t.Errorf("%q of %q is written as %q of %q: %v", text, key, written, keep.bookKey(), err)
			}
		}
		if taken := len(found.letGo) + len(found.keeps); taken != 1 {
			t.Errorf("%q is taken up %d times", text, taken)
		}
		if diff := cmp.Diff(found.letGo, again.letGo, cmp.AllowUnexported(Entry{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff(found.keeps, again.keeps); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
