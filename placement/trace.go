package placement

import "strings"

// A Trace says what each strategy of a chain answered, in the chain's order. It is for people.
type Trace []Step

// A Step is one strategy's part in a [Trace].
type Step struct {
	Strategy string  `json:"strategy"`
	Verdict  Verdict `json:"verdict"`
	// Config is the cluster of a decision.
	Config string `json:"config,omitempty"`
	// Reason is the decision's, refusal's or hold's reason.
	Reason string `json:"reason,omitempty"`
	// Message is the text of a refusal, a hold or a failure.
	Message string `json:"message,omitempty"`
}

// A Verdict is the kind of answer that a strategy gave. The zero value is none of them.
type Verdict int

// The values of Verdict.
const (
	NoOpinion  Verdict = iota + 1 // the strategy left it to the next one
	Placed                        // it chose Step.Config
	Held                          // it said: not now
	Refused                       // it said: stop
	Failed                        // it gave no answer; its error policy decided
	NotReached                    // an earlier strategy ended the chain
)

var verdictNames = [...]string{"Unknown", "NoOpinion", "Placed", "Held", "Refused", "Failed", "NotReached"}

// String is the constant's name.
func (v Verdict) String() string { return nameOf(verdictNames[:], int(v), "Verdict") }

// MarshalText is String, so that JSON shows names.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// String is the whole trace on one line.
func (t Trace) String() string {
	steps := make([]string, len(t))
	for i, step := range t {
		steps[i] = step.String()
	}
	return strings.Join(steps, "; ")
}

// String is "strategy: Verdict config (reason: message)", without what is empty.
func (s Step) String() string {
	text := s.Strategy + ": " + s.Verdict.String()
	if s.Config != "" {
		text += " " + s.Config
	}
	switch {
	case s.Reason != "" && s.Message != "":
		return text + " (" + s.Reason + ": " + s.Message + ")"
	case s.Reason+s.Message != "":
		return text + " (" + s.Reason + s.Message + ")"
	}
	return text
}

// record fills in what the strategy answered.
func (s *Step) record(decision Decision, err error) {
	s.Config, s.Reason = decision.Config, decision.Reason
	if err == nil {
		s.Verdict = NoOpinion
		if decision.Config != "" {
			s.Verdict = Placed
		}
		return
	}
	s.Message = err.Error()
	if refusal, ok := AsRefusal(err); ok {
		s.Verdict, s.Reason = Refused, refusal.Reason
	} else if hold, ok := AsHold(err); ok {
		s.Verdict, s.Reason = Held, hold.Reason
	} else {
		s.Verdict = Failed
	}
}
