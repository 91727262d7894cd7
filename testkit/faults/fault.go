package faults

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind names what goes wrong. The zero Kind is Pass.
type Kind string

// The kinds; the package comment describes each.
const (
	Pass         Kind = "pass"
	Blackhole    Kind = "blackhole"
	Reset        Kind = "reset"
	Refuse       Kind = "refuse"
	Latency      Kind = "latency"
	Errors       Kind = "errors"
	Unauthorized Kind = "unauthorized"
	Stall        Kind = "stall"
	Cut          Kind = "cut"
)

// Scope names what a fault acts on. The zero Scope is All.
type Scope string

// The scopes; the package comment describes each.
const (
	All   Scope = "all"
	Dial  Scope = "dial"
	List  Scope = "list"
	Watch Scope = "watch"
	Write Scope = "write"
)

// Kinds returns all kinds, Pass first, in the order in which people are told of them.
func Kinds() []Kind {
	var names []Kind
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Scopes returns what a kind can act on; none for a kind that there is not.
func (k Kind) Scopes() []Scope {
	for _, known := range kinds() {
		if known.name == k {
			return slices.Clone(known.scopes)
		}
	}
	return nil
}

// kind is a Kind with the scopes that it knows.
type kind struct {
	name   Kind
	scopes []Scope
}

// kinds in the order in which people are told of them.
func kinds() []kind {
	return []kind{
		{Pass, []Scope{All}},
		{Blackhole, scopes()},
		{Reset, scopes()},
		{Refuse, []Scope{All, Dial}},
		{Latency, scopes()},
		{Errors, []Scope{All, List, Watch, Write}},
		{Unauthorized, []Scope{All, List, Watch, Write}},
		{Stall, []Scope{All, Watch}},
		{Cut, []Scope{All, Watch}},
	}
}

func scopes() []Scope { return []Scope{All, Dial, List, Watch, Write} }

// Fault is one way to misbehave. The zero Fault is pass. It is a value, safe to copy and compare.
type Fault struct {
	Kind Kind
	// Latency is the delay of a Latency fault, not negative; zero for other kinds.
	Latency time.Duration
	// Rate is the share, 0 to 1, of requests that an Errors fault answers 500; zero for other kinds.
	Rate float64
	// On is the scope; "" means All.
	On Scope
}

// ParseFault reads a fault as people write it: spec is "blackhole", "latency=2s", "errors=0.3" and
// so on, on is a scope or "" for all. Errors are one line and say what is wanted.
func ParseFault(spec, on string) (Fault, error) {
	name, value, valued := strings.Cut(spec, "=")
	f := Fault{Kind: Kind(name), On: Scope(on)}
	if name == "" {
		return Fault{}, fmt.Errorf("unknown fault %q: want one of %s", spec, kindNames())
	}
	var err error
	switch {
	case f.Kind == Latency:
		if f.Latency, err = time.ParseDuration(value); err != nil {
			return Fault{}, fmt.Errorf("fault %q: want a duration, as in latency=2s", spec)
		}
	case f.Kind == Errors:
		if f.Rate, err = strconv.ParseFloat(value, 64); err != nil {
			return Fault{}, fmt.Errorf("fault %q: want a share of requests from 0 to 1, as in errors=0.3", spec)
		}
	case valued && slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == f.Kind }):
		return Fault{}, fmt.Errorf("fault %q: %s takes no value", spec, name)
	}
	return f.checked()
}

// Spec returns the fault without its scope, so that ParseFault(f.Spec(), string(f.On)) gives it
// back.
func (f Fault) Spec() string {
	switch f.Kind {
	case "":
		return string(Pass)
	case Latency:
		return "latency=" + f.Latency.String()
	case Errors:
		return "errors=" + strconv.FormatFloat(f.Rate, 'g', -1, 64)
	default:
		return string(f.Kind)
	}
}

// String returns the fault as it is typed on a command line: "latency=2s --on write"; the scope all
// goes without saying.
func (f Fault) String() string {
	if f.On == "" || f.On == All {
		return f.Spec()
	}
	return f.Spec() + " --on " + string(f.On)
}

// checked returns f with its defaults filled in, or what is wrong with it.
func (f Fault) checked() (Fault, error) {
	if f.Kind == "" {
		f.Kind = Pass
	}
	if f.On == "" {
		f.On = All
	}
	known := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == f.Kind })
	switch {
	case known < 0:
		return Fault{}, fmt.Errorf("unknown fault %q: want one of %s", string(f.Kind), kindNames())
	case !slices.Contains(scopes(), f.On):
		return Fault{}, fmt.Errorf("unknown scope %q: want one of %s", string(f.On), join(scopes()))
	case !slices.Contains(kinds()[known].scopes, f.On):
		return Fault{}, fmt.Errorf("fault %q cannot act on %s: want one of %s", f.Spec(), f.On, join(kinds()[known].scopes))
	case f.Latency < 0:
		return Fault{}, fmt.Errorf("fault %q: a latency is not negative", f.Spec())
	case f.Latency != 0 && f.Kind != Latency:
		return Fault{}, fmt.Errorf("fault %q: %s takes no latency", f.Spec(), f.Kind)
	case math.IsNaN(f.Rate) || f.Rate < 0 || f.Rate > 1:
		return Fault{}, fmt.Errorf("fault %q: want a share of requests from 0 to 1", f.Spec())
	case f.Rate != 0 && f.Kind != Errors:
		return Fault{}, fmt.Errorf("fault %q: %s takes no rate", f.Spec(), f.Kind)
	}
	return f, nil
}

// silences reports whether the bytes of connections stay where they are.
func (f Fault) silences() bool { return f.Kind == Blackhole && f.On == All }

// dials reports whether the fault is of this kind and acts on connections that come in.
func (f Fault) dials(k Kind) bool { return f.Kind == k && (f.On == All || f.On == Dial) }

// lag is by how much the bytes of connections come late.
func (f Fault) lag() time.Duration {
	if f.On != All {
		return 0
	}
	return f.Latency
}

// terminates reports whether the fault can only be had by reading requests.
func (f Fault) terminates() bool {
	switch f.Kind {
	case Errors, Unauthorized, Stall:
		return true
	default:
		return f.Kind != Cut && (f.On == List || f.On == Watch || f.On == Write)
	}
}

// answers reports whether a request of this scope is one that the fault, of a kind that works on
// requests, acts on.
func (f Fault) answers(s Scope) bool {
	return f.terminates() && (f.On == s || f.On == All)
}

// withholds reports whether responses to requests of this scope fall silent.
func (f Fault) withholds(s Scope) bool {
	return f.Kind == Stall && s == Watch || f.Kind == Blackhole && f.On == s
}

func kindNames() string { return join(Kinds()) }

func join[T ~string](names []T) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}
