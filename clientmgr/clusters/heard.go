package clusters

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// heard runs a call. Its error is errNoAnswer where something answered, with no status, and
// client-go could not read the answer: client-go quotes all of it in its error, whatever it holds.
// An error from before the request went out is the caller's own and stays as it is.
func heard(ctx context.Context, call func(ctx context.Context) error) error {
	var answered atomic.Bool
	err := call(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	var status apierrors.APIStatus
	if err == nil || !answered.Load() || errors.As(err, &status) {
		return err
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}
