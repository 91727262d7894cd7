package clientmgr

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func TestVerifyReference(t *testing.T) {
	cases := map[string]struct {
		reason string
		ref    reference
		uid    string
		want   error
	}{
		"ledger's UID cannot be read": {"the flag does not concern a machine that knows its cluster",
			reference{placed: true, clusterUID: "a"}, "", ErrIdentityUnverified},
		"ledger names another": {"the config leads elsewhere", reference{placed: true, clusterUID: "a"}, "b",
			ErrIdentityChanged},
		"never had one": {"this is what the flag is for", reference{placed: true}, "", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := tc.ref.verify(placed("east", "a"), tc.uid, true); !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestMockTranslatesErrors(t *testing.T) {
	mock := NewMockClientManager()
	mock.AddMockedClient("east", fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "a", errors.New("no"))
		},
	}).Build())
	remote, err := mock.GetClientForConfig(t.Context(), "east")
	if err != nil {
		t.Fatal(err)
	}
	err = remote.Get(t.Context(), client.ObjectKey{Name: "a"}, &corev1.ConfigMap{})
	if !errors.Is(err, ErrForbidden) || !apierrors.IsForbidden(err) {
		t.Errorf("the real client's error is a *CallError with the status in it, got %v", err)
	}
}
