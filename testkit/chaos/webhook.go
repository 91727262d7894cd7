package chaos

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// What a webhook does.
const (
	refuses = "refuse"
	hangs   = "hang"
	mutates = "mutate"
)

// webhook is an admission webhook on the loopback interface.
type webhook struct {
	*httptest.Server
	how string
}

func newWebhook(how string) *webhook {
	h := &webhook{how: how}
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that hang up are what is tested
	h.StartTLS()
	return h
}

// Close ends it, and what hangs in it.
func (h *webhook) Close() {
	h.CloseClientConnections()
	h.Server.Close()
}

// config is how an API server finds it.
func (h *webhook) config() admissionregistrationv1.WebhookClientConfig {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	return admissionregistrationv1.WebhookClientConfig{URL: ptr.To(h.URL), CABundle: ca}
}

// ServeHTTP implements http.Handler.
func (h *webhook) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	review := admissionv1.AdmissionReview{}
	if err := json.NewDecoder(req.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	switch h.how {
	case hangs:
		<-req.Context().Done()
		return
	case refuses:
		answer.Allowed, answer.Result = false, &metav1.Status{Message: "a webhook of chaos refuses this for a while"}
	case mutates:
		if review.Request.Operation != admissionv1.Delete && review.Request.SubResource == "" {
			answer.PatchType, answer.Patch = ptr.To(admissionv1.PatchTypeJSONPatch), mutation(review.Request.Object.Raw)
		}
	}
	review.Response, review.Request = answer, nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // an API server that hangs up is what is tested
}

// mutation adds a label that nobody asked for.
func mutation(object []byte) []byte {
	var meta metav1.PartialObjectMetadata
	_ = json.Unmarshal(object, &meta) // the API server sent it
	label := []map[string]any{{"op": "add", "path": "/metadata/labels/chaos.testkit~1mutated", "value": "true"}}
	if meta.Labels == nil {
		all := map[string]string{"chaos.testkit/mutated": "true"}
		label = []map[string]any{{"op": "add", "path": "/metadata/labels", "value": all}}
	}
	patch, _ := json.Marshal(label) // maps of strings always encode
	return patch
}
