package canary

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/secrecy"
)

// shortest is the length, in bytes, of the shortest canary: a shorter one could stand anywhere by chance.
const shortest = 12

// around is how many bytes before and after a canary are shown.
const around = 60

// Flock are canaries by what they are for people: "token of cluster-east".
type Flock map[string][]byte

// Found is one canary in a text.
type Found struct {
	// Canary says which one.
	Canary string
	// Form is the encoding that it was found in.
	Form string
	// Near is the text around it.
	Near string
}

// String says what was found.
func (f Found) String() string { return fmt.Sprintf("%s (%s): …%s…", f.Canary, f.Form, f.Near) }

// In finds the canaries of a text, sorted by what they are: each in the first of its forms, once. A
// canary that is too short to be searched for counts as found in every text.
func (f Flock) In(text string) []Found {
	var all []Found
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if len(f[name]) < shortest {
			all = append(all, Found{Canary: name, Form: "too short to be searched for"})
			continue
		}
		for _, form := range secrecy.Forms(f[name]) {
			at := strings.Index(text, form.Text)
			if at >= 0 {
				near := text[max(0, at-around):min(len(text), at+len(form.Text)+around)]
				all = append(all, Found{Canary: name, Form: form.Name, Near: near})
				break
			}
		}
	}
	return all
}
