package placement

import "context"

// A Strategy chooses a cluster for a Machine, or says why it does not.
//
// Place must be a pure function of the request: the order of the candidates, earlier calls and the
// time of day change nothing. It changes nothing in the request, writes nothing to standard output,
// returns when ctx ends, and is safe for concurrent use. It returns a Decision with a nil error, or
// an error that is a [Refusal], a [Hold], or a failure.
type Strategy interface {
	// Name is short, lower case and constant; people see it in traces.
	Name() string
	// Needs says what the host must gather before it asks. It is constant, but for a [Starter].
	Needs() Needs
	// Place answers the request.
	Place(ctx context.Context, req Request) (Decision, error)
}

// Needs are the facts that a strategy reads and that cost the host something to gather. Facts that
// were not asked for may be missing or be there for another strategy's sake: they must not change
// the answer.
type Needs struct {
	// Presence asks for [Candidate].VM: one live look at every cluster.
	Presence bool
	// Capacity asks for [Candidate].Capacity: a look into every cluster, which may be some seconds
	// old.
	Capacity bool
	// Machines asks for [Candidate].Capacity.Machines alone, which the host knows by itself.
	Machines bool
	// Ready asks for [Candidate].Ready: some twenty questions to every cluster, which may be some
	// seconds old, and a creation of the virtual machine that is not kept.
	Ready bool
	// NoLabels says that the strategy does not read [Candidate].Labels: the host may leave them
	// out. They are the larger part of a request, and a strategy in a process of its own answers
	// the sooner without them.
	NoLabels bool
}

// Or returns what either needs.
func (n Needs) Or(other Needs) Needs {
	return Needs{
		Presence: n.Presence || other.Presence, Capacity: n.Capacity || other.Capacity,
		Machines: n.Machines || other.Machines, Ready: n.Ready || other.Ready,
		NoLabels: n.NoLabels && other.NoLabels,
	}
}

// A PlaceFunc is the heart of a strategy; see [Strategy].
type PlaceFunc func(ctx context.Context, req Request) (Decision, error)

// Func is a Strategy made of a function.
type Func struct {
	name  string
	needs Needs
	place PlaceFunc
}

// NewFunc returns a strategy of that name.
func NewFunc(name string, needs Needs, place PlaceFunc) Func {
	return Func{name: name, needs: needs, place: place}
}

// Name implements [Strategy].
func (f Func) Name() string { return f.name }

// Needs implements [Strategy].
func (f Func) Needs() Needs { return f.needs }

// Place implements [Strategy].
func (f Func) Place(ctx context.Context, req Request) (Decision, error) { return f.place(ctx, req) }
