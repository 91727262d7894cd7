package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader reads annotations into variables. The first that cannot be read is its error.
type reader struct {
	annotations []map[string]string
	err         error
}

// value returns the first value of a key.
func (r *reader) value(key string) (string, bool) {
	for _, annotations := range r.annotations {
		if value, found := annotations[key]; found {
			return value, true
		}
	}
	return "", false
}

func (r *reader) refuse(key, value, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is %q, not %s", key, value, want)
	}
}

func (r *reader) duration(key string, to *time.Duration) {
	value, found := r.value(key)
	if !found {
		return
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		r.refuse(key, value, "a duration")
		return
	}
	*to = d
}

func (r *reader) flag(key string, to *bool) {
	value, found := r.value(key)
	if !found {
		return
	}
	if value != "true" && value != "false" {
		r.refuse(key, value, "true or false")
		return
	}
	*to = value == "true"
}

func (r *reader) number(key string, to *int, least, most int) {
	value, found := r.value(key)
	if !found {
		return
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.refuse(key, value, fmt.Sprintf("a number from %d to %d", least, most))
		return
	}
	*to = n
}

// addresses reads a list of ADDRESS and NAME=ADDRESS.
func (r *reader) addresses(key string, to *[]string) {
	value, found := r.value(key)
	if !found {
		return
	}
	*to = nil
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.TrimSpace(entry)
		if _, address := splitAddress(entry); !isAddress(address) {
			r.refuse(key, value, "a list of IP addresses")
			return
		}
		*to = append(*to, entry)
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// choice reads one of several words.
func choice[T ~string](r *reader, key string, to *T, words ...T) {
	value, found := r.value(key)
	if !found {
		return
	}
	if !slices.Contains(words, T(value)) {
		r.refuse(key, value, fmt.Sprintf("one of %q", words))
		return
	}
	*to = T(value)
}
