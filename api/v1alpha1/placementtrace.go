package v1alpha1

import (
	"encoding/json"
	"fmt"
)

// MaxPlacementTrace is how long the annotation [AnnotationPlacementTrace] may be, in bytes.
const MaxPlacementTrace = 2048

// PlacementTrace says who placed a Machine, and what each strategy said then. It is the JSON of the
// annotation [AnnotationPlacementTrace].
type PlacementTrace struct {
	// Config is the name of the KubevirtConfig, Strategy who chose it, and Reason why.
	Config   string `json:"config"`
	Strategy string `json:"strategy,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Before are the references that the Machine had when it was moved there, after that was decided. It
	// is told of a reference that names none of them.
	Before []string `json:"before,omitempty"`
	// Steps are the answers of all strategies, in the order in which they were asked.
	Steps []PlacementStep `json:"steps,omitempty"`
	// Shortened says that texts or steps were left out, because all of them were longer than
	// MaxPlacementTrace.
	Shortened bool `json:"shortened,omitempty"`
}

// PlacementStep is the answer of one strategy.
type PlacementStep struct {
	Strategy string `json:"strategy"`
	// Verdict is the kind of answer: NoOpinion, Placed, Held, Refused, Failed or NotReached.
	Verdict string `json:"verdict"`
	Config  string `json:"config,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// ParsePlacementTrace reads what String gives. What cannot be read is the zero trace: it is for
// people, and people may edit it.
func ParsePlacementTrace(annotation string) PlacementTrace {
	var trace PlacementTrace
	if len(annotation) > MaxPlacementTrace || json.Unmarshal([]byte(annotation), &trace) != nil {
		return PlacementTrace{}
	}
	return trace
}

// String is JSON of at most MaxPlacementTrace bytes: what does not fit is left out, texts first.
func (t PlacementTrace) String() string {
	for _, shorten := range []func(*PlacementTrace){
		func(*PlacementTrace) {},
		func(t *PlacementTrace) { t.Steps = stripped(t.Steps) },
		func(t *PlacementTrace) { t.Steps = nil },
		func(t *PlacementTrace) { t.Reason = "" },
	} {
		shorten(&t)
		if text, err := json.Marshal(t); err == nil && len(text) <= MaxPlacementTrace {
			return string(text)
		}
		t.Shortened = true
	}
	return "{}"
}

// stripped are the steps without texts.
func stripped(steps []PlacementStep) []PlacementStep {
	short := make([]PlacementStep, len(steps))
	for i, step := range steps {
		short[i] = PlacementStep{Strategy: step.Strategy, Verdict: step.Verdict, Config: step.Config}
	}
	return short
}

// By is "by strategy S (reason)" for people, "" where it is not known.
func (t PlacementTrace) By() string {
	switch {
	case t.Strategy == "":
		return ""
	case t.Reason == "":
		return "by strategy " + t.Strategy
	}
	return fmt.Sprintf("by strategy %s (%s)", t.Strategy, t.Reason)
}
