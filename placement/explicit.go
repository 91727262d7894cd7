package placement

import (
	"context"
	"fmt"
)

// Explicit is the strategy "annotation": it takes the cluster that the Machine's author asks for,
// in spec.kubevirtConfigRef.name or in the annotation [ConfigAnnotation], verbatim. It has no
// opinion where neither is set and refuses ([ReasonReferencesDiffer]) where they differ. Whether
// that cluster exists is the chain's business.
type Explicit struct{}

// Name is "annotation".
func (Explicit) Name() string { return "annotation" }

// Needs is nothing, not even labels.
func (Explicit) Needs() Needs { return Needs{NoLabels: true} }

// Place implements [Strategy]. It does no I/O.
func (Explicit) Place(_ context.Context, req Request) (Decision, error) {
	config, err := req.Machine.explicit()
	switch {
	case err != nil:
		return Decision{}, err
	case config == "":
		return Decision{Reason: "the machine names no KubevirtConfig"}, nil
	case config == req.Machine.Reference.Field:
		return Decision{Config: config, Reason: "named by spec.kubevirtConfigRef"}, nil
	default:
		return Decision{Config: config, Reason: "named by annotation " + ConfigAnnotation}, nil
	}
}

// explicit is the config that the Machine asks for, "" if none, or the Refusal of a contradiction.
func (m Machine) explicit() (string, error) {
	ref := m.Reference
	switch {
	case ref.Field == "" || ref.Field == ref.Annotation:
		return ref.Annotation, nil
	case ref.Annotation == "":
		return ref.Field, nil
	}
	return "", Refusal{
		Reason: ReasonReferencesDiffer,
		Message: fmt.Sprintf("machine %s names KubevirtConfig %q in spec.kubevirtConfigRef and %q in annotation '%s'",
			m, ref.Field, ref.Annotation, ConfigAnnotation),
	}
}
