package faults

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func internalError() metav1.Status {
	return apierrors.NewInternalError(errors.New("injected by a fault proxy")).ErrStatus
}

func unauthorized() metav1.Status { return apierrors.NewUnauthorized("Unauthorized").ErrStatus }

// writeStatus answers a request in the API server's manner of refusing.
func writeStatus(w http.ResponseWriter, s metav1.Status) {
	s.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	text, err := json.Marshal(s)
	if err != nil {
		panic(http.ErrAbortHandler) // a Status always marshals
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(int(s.Code))
	_, _ = w.Write(text) // fails when the client is gone
}
