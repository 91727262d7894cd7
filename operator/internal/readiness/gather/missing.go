package gather

import (
	"context"
	"errors"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

// maxText is how much of a server's words is kept.
const maxText = 500

// fact is the answer to a question.
func fact[T any](value T, err error, right string, now time.Time) readiness.Fact[T] {
	if err != nil {
		lost := failed[T](err, right)
		if lost.Missing.Reason == readiness.ReasonForbidden {
			lost.At = now
		}
		return lost
	}
	return readiness.Seen(value, now)
}

// failed is a fact that could not be had.
func failed[T any](err error, right string) readiness.Fact[T] {
	return readiness.Fact[T]{Missing: why(err, right)}
}

func why(err error, right string) *readiness.Missing {
	switch {
	case isForbidden(err):
		return &readiness.Missing{Reason: readiness.ReasonForbidden, Right: right, Message: clip(err.Error())}
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return &readiness.Missing{Reason: readiness.ReasonSilent, Message: "no answer in time (" + right + ")"}
	}
	return &readiness.Missing{Reason: readiness.ReasonSilent, Message: clip(err.Error())}
}

func isForbidden(err error) bool {
	return errors.Is(err, clientmgr.ErrForbidden) || apierrors.IsForbidden(err)
}

// isUnserved reports whether the server has answered that it does not know the kind.
func isUnserved(err error) bool {
	return errors.Is(err, clientmgr.ErrKindNotServed) || meta.IsNoMatchError(err)
}

// silence makes every fact that is not known one of a cluster without a connection.
func silence(facts *readiness.Facts, err error) {
	missing := reflect.ValueOf(&readiness.Missing{Reason: readiness.ReasonSilent, Message: clip(err.Error())})
	all := reflect.ValueOf(facts).Elem()
	for i := range all.NumField() {
		fact := all.Field(i)
		if fact.Kind() != reflect.Struct || !fact.FieldByName("At").IsZero() {
			continue
		}
		fact.FieldByName("Missing").Set(missing)
	}
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return text
}
