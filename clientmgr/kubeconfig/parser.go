package kubeconfig

import (
	"bytes"
	"time"
)

// Parser reads the kubeconfigs of one cluster. It remembers the last one, so that a look at a file
// that has not changed costs a comparison: a bundle of 1 MiB takes tens of milliseconds to parse.
// The zero Parser works. It is for one goroutine at a time.
type Parser struct {
	// Options are for all files. Set them before the first Parse.
	Options Options

	last *parsed
}

// parsed is a file with what came out of it. The bytes themselves are compared, because a sum of
// them takes longer.
type parsed struct {
	data   []byte
	target Target
	err    error
}

// Parse returns the Target of a kubeconfig at a time. Each error is a *FieldError. With one that is
// ErrNotValidNow there is a Target all the same: all of it is right but the time, which may be our
// own clock's fault. The zero time checks no validity. It does no I/O.
func (p *Parser) Parse(data []byte, now time.Time) (Target, error) {
	if len(data) > maxBytes {
		return Parse(data, p.Options) // refused at once, and not worth remembering
	}
	if p.last == nil || !bytes.Equal(p.last.data, data) {
		target, err := Parse(data, p.Options)
		p.last = &parsed{bytes.Clone(data), target, err}
	}
	if p.last.err != nil || now.IsZero() {
		return p.last.target, p.last.err
	}
	return p.last.target, p.last.target.CheckAt(now)
}

// Forget lets go of the last kubeconfig and its Target.
func (p *Parser) Forget() { p.last = nil }
