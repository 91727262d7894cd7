package integration

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestHangingWebhook: an admission webhook of a cluster never answers. The cluster does, and its
// own sentence must arrive before our patience ends.
func TestHangingWebhook(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		seconds int32 // the webhook's own timeoutSeconds
		want    string
		is      func(error) bool
	}{
		"Shorter": {
			reason:  "A webhook whose own time-out is short is named by the server.",
			seconds: 1, want: `failed calling webhook "hangs.example.com"`, is: apierrors.IsInternalError,
		},
		"Longer": {
			reason:  "A webhook that may take longer than we wait lets the server run out of the time that it was given.",
			seconds: 30, want: "request did not complete within", is: apierrors.IsTimeout,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.config("east", f.admin(east, east.Addr()))
			f.connects("east")
			remote := f.client("east")
			f.hangingWebhook(tc.seconds)
			try := 0
			eventually.Eventually(t, time.Minute, tc.reason, func(ctx context.Context) error {
				try++
				began := time.Now()
				err := remote.Create(ctx, f.configMap(fmt.Sprintf("try-%d", try)))
				switch {
				case err == nil:
					return errors.New("the webhook is not asked yet")
				case errors.Is(err, clientmgr.ErrNotConnected):
					t.Fatalf("%s It is no loss of contact, got after %s: %v", tc.reason, time.Since(began), err)
				case !tc.is(err) || !strings.Contains(err.Error(), tc.want):
					t.Fatalf("%s want %q, got %v", tc.reason, tc.want, err)
				}
				return nil
			})
			if state, _ := f.State("east"); !state.Ready() {
				t.Errorf("%s The cluster is connected, got %s: %s", tc.reason, state.Reason, state.Message)
			}
		})
	}
}

// hangingWebhook makes each creation in the fixture's namespace of east ask a server that never
// answers.
func (f *fixture) hangingWebhook(timeoutSeconds int32) {
	f.t.Helper()
	over := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-over:
		case <-req.Context().Done():
		}
	}))
	f.t.Cleanup(func() {
		close(over)
		server.CloseClientConnections()
		server.Close()
	})
	webhook := admissionregistrationv1.ValidatingWebhook{
		Name: "hangs.example.com",
		ClientConfig: admissionregistrationv1.WebhookClientConfig{
			URL:      new(server.URL),
			CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"},
			},
		}},
		NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{corev1.LabelMetadataName: f.namespace},
		},
		SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
		FailurePolicy:           new(admissionregistrationv1.Fail),
		TimeoutSeconds:          &timeoutSeconds,
		AdmissionReviewVersions: []string{"v1"},
	}
	hook := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: f.namespace},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{webhook},
	}
	f.must(east.admin.Create(f.t.Context(), hook))
	f.t.Cleanup(func() { f.must(east.admin.Delete(context.WithoutCancel(f.t.Context()), hook)) })
}
