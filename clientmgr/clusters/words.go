package clusters

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxWords is the number of bytes of a server's message that are kept.
const maxWords = 1024

var (
	// addressLike finds what may be an IP address, with or without a port.
	addressLike = regexp.MustCompile(`\[[\w:.%]*:[\w:.%]*\](:\d+)?|[\w:.%]+[:.][\w:.%]*|:[\w:.%]+`)
	// ipv4 finds an IPv4 address in a word, with or without a port.
	ipv4 = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`)
	// bearer finds a credential that a server or a proxy quotes from the request.
	bearer = regexp.MustCompile(`(?i)(\S*bearer[\s:=]+)+\S+|authorization\W{1,8}basic\s+\S+`)
)

// madeUp reports whether client-go made a status from an answer that was none of an API server's.
func madeUp(status metav1.Status) bool {
	if status.Details == nil {
		return false
	}
	for _, cause := range status.Details.Causes {
		if cause.Type == metav1.CauseTypeUnexpectedServerResponse {
			return true
		}
	}
	return false
}

// unlabelled returns the status that an API server sent without a content type, as it does where a
// request ran out of its time (504). client-go takes it for text, and quotes it in a status that it
// makes up.
func unlabelled(status metav1.Status) (*apierrors.StatusError, bool) {
	if status.Code != http.StatusGatewayTimeout || !madeUp(status) {
		return nil, false
	}
	for _, cause := range status.Details.Causes {
		var said metav1.Status
		err := json.Unmarshal([]byte(cause.Message), &said)
		if err != nil || said.Code != status.Code || said.Reason != metav1.StatusReasonTimeout {
			continue
		}
		about := status.Details
		said.Details = &metav1.StatusDetails{Name: about.Name, Group: about.Group, Kind: about.Kind}
		return &apierrors.StatusError{ErrStatus: said}, true
	}
	return nil, false
}

// printable makes one line of the first 4*maxWords bytes of a message. Characters that are not
// shown are taken out: they could hide a credential or an address, and harm a terminal.
func printable(message string) string {
	if len(message) > 4*maxWords {
		message = message[:4*maxWords] // a bound on the work before one on the result
	}
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	}), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(message, ""))
}

// plain makes a server's message fit for a status and a log: one line of at most maxWords bytes,
// without control characters and credentials.
func plain(message string) string {
	message = bearer.ReplaceAllString(printable(message), "(credential)")
	if len(message) > maxWords {
		message = strings.ToValidUTF8(message[:maxWords-len("...")], "") + "..."
	}
	return message
}

// anonymous is plain without IP addresses: they tell where a cluster is.
func anonymous(message string) string {
	return plain(addressLike.ReplaceAllStringFunc(printable(message), withoutAddress))
}

// withoutAddress returns a word of a message, or "(address)" where it tells an IP address.
func withoutAddress(word string) string {
	if strings.HasPrefix(word, "[") {
		return "(address)"
	}
	core := strings.TrimRight(word, ".:")
	for _, whole := range []string{word, core, strings.TrimLeft(core, ".:")} {
		if _, err := netip.ParseAddr(whole); err == nil || ipv4.MatchString(whole) {
			return "(address)" + word[len(core):]
		}
	}
	return word
}

// safeStatus returns a status whose message may be shown: the server's own without addresses, or
// fixed words where no API server has spoken.
func safeStatus(status metav1.Status) *apierrors.StatusError {
	status = *status.DeepCopy()
	if !madeUp(status) {
		status.Message = anonymous(status.Message)
		return &apierrors.StatusError{ErrStatus: status}
	}
	status.Message = fmt.Sprintf("the server answers with status %d", status.Code)
	for i := range status.Details.Causes {
		status.Details.Causes[i].Message = "" // client-go quotes the answer there
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// worded returns the error of a status that an API server sent, with a message that may be shown.
// Addresses stay in what the server says about the caller's own object (4xx): they are the caller's
// own values.
func worded(err error, status metav1.Status) error {
	said := plain(status.Message)
	if status.Code >= http.StatusInternalServerError {
		said = anonymous(status.Message)
	}
	if said == status.Message {
		return err
	}
	status = *status.DeepCopy()
	status.Message = said
	return &apierrors.StatusError{ErrStatus: status}
}
