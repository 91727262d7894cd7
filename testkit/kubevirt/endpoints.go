package kubevirt

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// endpoint is where the API server reaches virt-api.
type endpoint struct {
	port int
	ca   []byte
}

// service makes virt-api known to the aggregator, which dials no addresses but those of Services.
func (e endpoint) service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: virtAPI, Namespace: Namespace},
		Spec: corev1.ServiceSpec{
			Type:         corev1.ServiceTypeExternalName,
			ExternalName: "localhost",
			Ports:        []corev1.ServicePort{{Port: int32(e.port)}},
		},
	}
}

// apiServiceKind is read and written without its Go type, for which the whole aggregator would come
// along.
var apiServiceKind = metav1.TypeMeta{APIVersion: "apiregistration.k8s.io/v1", Kind: "APIService"}

// apiServices hand the subresources start, stop, restart and their like to virt-api.
func (e endpoint) apiServices() []client.Object {
	var all []client.Object
	for i, version := range kubevirtv1.SubresourceGroupVersions {
		s := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"group":                version.Group,
			"version":              version.Version,
			"groupPriorityMinimum": int64(1000),
			"versionPriority":      int64(15 - i),
			"caBundle":             base64.StdEncoding.EncodeToString(e.ca),
			"service":              map[string]any{"namespace": Namespace, "name": virtAPI, "port": int64(e.port)},
		}}}
		s.SetGroupVersionKind(apiServiceKind.GroupVersionKind())
		s.SetName(version.Version + "." + version.Group)
		all = append(all, s)
	}
	return all
}

// webhooks reads virt-api's webhook configurations and lets them point at it by URL in place of a
// Service.
func (e endpoint) webhooks(path string) ([]client.Object, error) {
	documents, err := readDocuments(path)
	if err != nil {
		return nil, err
	}
	mutating, validating := &admissionv1.MutatingWebhookConfiguration{}, &admissionv1.ValidatingWebhookConfiguration{}
	for _, raw := range documents {
		var head metav1.TypeMeta
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		into := any(validating)
		if head.Kind == "MutatingWebhookConfiguration" {
			into = mutating
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	for i := range mutating.Webhooks {
		e.redirect(&mutating.Webhooks[i].ClientConfig)
	}
	for i := range validating.Webhooks {
		e.redirect(&validating.Webhooks[i].ClientConfig)
	}
	return []client.Object{mutating, validating}, nil
}

func (e endpoint) redirect(config *admissionv1.WebhookClientConfig) {
	url := "https://" + net.JoinHostPort(loopback, strconv.Itoa(e.port)) + *config.Service.Path
	config.URL, config.Service, config.CABundle = &url, nil, e.ca
}
