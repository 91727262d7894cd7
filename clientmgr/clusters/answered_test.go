package clusters

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// answering returns a client of a server that answers every request with status 200 and the same
// body.
func answering(t *testing.T, body string) client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	direct, err := client.New(&rest.Config{Host: server.URL}, client.Options{
		HTTPClient: server.Client(), Scheme: clientgoscheme.Scheme, Mapper: mapper,
	})
	if err != nil {
		t.Fatal(err)
	}
	gate := func() error { return nil }
	return &remoteClient{called: called{"cluster", "east"}, direct: answeredClient{direct}, gate: gate, failed: func() {}}
}

// TestAnswersOfNoAPIServer: what is no API server's answer is silence, for reads and writes alike.
// An empty list would be taken for an absence, and an absence for leave to create.
func TestAnswersOfNoAPIServer(t *testing.T) {
	const object = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"1","resourceVersion":"7"}}`
	const list = `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}`
	for name, test := range map[string]struct {
		reason, body            string
		answersGet, answersList bool
	}{
		"AnObject":         {"an API server's object has a name and a UID", object, true, false},
		"AList":            {"an API server's list has a resourceVersion", list, false, true},
		"Nothing":          {"a gateway that is well says {}", `{}`, false, false},
		"StatusOfAGateway": {"a health page is no object", `{"status":"ok"}`, false, false},
		"AnotherKind": {
			"a Pod is no ConfigMap", `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{}]}`, false, false,
		},
		"AnotherName": {
			"a server that answers with another object has not been asked", strings.Replace(object, `"a"`, `"b"`, 1), false,
			false,
		},
		"AnotherNamespace": {
			"the same name elsewhere is another object", strings.Replace(object, `"ns"`, `"other"`, 1), false, false,
		},
		"WithoutAUID": {
			"what has no UID was never created", strings.Replace(object, `"uid":"1",`, "", 1), false, false,
		},
		"AUIDOfSpaces": {
			"a record with such a UID could not be read again", strings.Replace(object, `"uid":"1"`, `"uid":" "`, 1), false, false,
		},
		"AnEndlessUID": {
			"no API server gives a UID of 129 characters", strings.Replace(object, `"uid":"1"`, `"uid":"`+strings.Repeat("a", 129)+`"`, 1),
			false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, test.body)
			asked := func() *corev1.ConfigMap {
				object := &corev1.ConfigMap{}
				object.Namespace, object.Name = "ns", "a"
				return object
			}
			for what, err := range map[string]error{
				"get":    c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{}),
				"create": c.Create(t.Context(), asked()),
				"update": c.Update(t.Context(), asked()),
				"patch":  c.Patch(t.Context(), asked(), client.RawPatch("application/merge-patch+json", []byte(`{}`))),
				"status": c.Status().Update(t.Context(), asked()),
				"status by patch": c.Status().Patch(t.Context(), asked(),
					client.RawPatch("application/merge-patch+json", []byte(`{}`))),
				"apply": c.Apply(t.Context(), corev1apply.ConfigMap("a", "ns"), client.FieldOwner("test")),
			} {
				if test.answersGet != (err == nil) || err != nil && !errors.Is(err, ErrNotConnected) {
					t.Errorf("%s: %s: %v", test.reason, what, err)
				}
			}
			items := &corev1.ConfigMapList{}
			err := c.List(t.Context(), items)
			if test.answersList != (err == nil) || err != nil && !errors.Is(err, ErrNotConnected) || len(items.Items) > 0 {
				t.Errorf("%s: list: %d items, %v", test.reason, len(items.Items), err)
			}
		})
	}
}

// TestNothingIsCachedThatIsNoObject: what has no name or no UID does not enter a cache.
func TestNothingIsCachedThatIsNoObject(t *testing.T) {
	for _, tc := range []struct {
		reason, name, uid string
		want              error
	}{
		{"an object", "a", "1", nil},
		{"what has no name", "", "1", errNoAnswer},
		{"what was never created", "a", "", errNoAnswer},
		{"what has a UID that no record can hold", "a", "a b", errNoAnswer},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			object := &corev1.ConfigMap{}
			object.Name, object.UID = tc.name, types.UID(tc.uid)
			if _, err := strip(nil)(object); !errors.Is(err, tc.want) {
				t.Errorf("want %v, got %v", tc.want, err)
			}
		})
	}
}
