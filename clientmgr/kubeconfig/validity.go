package kubeconfig

import (
	"crypto/x509"
	"time"
)

// times is when something begins and ends to be valid; zero times bound nothing.
type times struct{ from, until time.Time }

// timesOf returns the times of each certificate.
func timesOf(certificates []*x509.Certificate) []times {
	all := make([]times, len(certificates))
	for i, each := range certificates {
		all[i] = times{each.NotBefore, each.NotAfter}
	}
	return all
}

// CheckAt returns a *FieldError that is ErrNotValidNow where the client certificate, or each
// certificate of the CA bundle, is over or not yet valid at a time. A token's end is not checked:
// only its server can tell what that means. A Target that Parse did not make passes.
func (t Target) CheckAt(now time.Time) error {
	if err := checkTimes(fieldCA, t.caTimes, now); err != nil {
		return err
	}
	return checkTimes(fieldCertificate, t.certificateTimes, now)
}

// checkTimes wants a single one to be valid. Of certificates that are over, the latest end is told,
// and of those that are not valid yet the earliest beginning.
func checkTimes(field string, all []times, now time.Time) error {
	var end, beginning time.Time
	for _, each := range all {
		switch {
		case now.After(each.until):
			end = latest(end, each.until)
		case now.Before(each.from):
			beginning = earliest(beginning, each.from)
		default:
			return nil
		}
	}
	if !beginning.IsZero() {
		return notValid(field, "is not valid before "+beginning.UTC().Format(time.RFC3339))
	}
	if !end.IsZero() {
		return notValid(field, "is over since "+end.UTC().Format(time.RFC3339))
	}
	return nil
}

func notValid(field, problem string) error {
	return &FieldError{Field: field, Problem: problem, Cause: ErrNotValidNow}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest returns the earlier of two times, where a zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
