package clusters

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxTitle is room for the name of a cluster and for our own words before a server's.
const maxTitle = 256

// FuzzStatus translates a status that a server sent, or that client-go made of what it sent: what
// people see of it has no credential, no address where it may have none, no control character and
// an end.
func FuzzStatus(f *testing.F) {
	for _, message := range []string{
		"", "not found", "dial tcp 10.0.0.1:6443: connect: connection refused", "no route to fd00::1",
		"Authorization: Bearer hunter2-hunter2", "bearer bearer hunter2-hunter2", "bea\xffrer hunter2-hunter2",
		"10.0.\u200b0.1", "10.0.\x000.1", "[fe80::1%eth0]:53", "a\x1b[2Jb\u202ec\r\nd", strings.Repeat("é", 3000),
		strings.Repeat("a", 4090) + " 10.0.0.1", strings.Repeat("a", 1015) + " 10.0.0.1", "::1", "at 12:30:15", "std::vector",
	} {
		for _, code := range []int{401, 403, 404, 409, 413, 422, 429, 500, 503, 504} {
			f.Add(code, "NotFound", message, "virtualmachines", "vm-web", "kubevirt.io", false)
			f.Add(code, "Timeout", message, message, "", "", true)
		}
	}
	f.Fuzz(func(t *testing.T, code int, reason, message, kind, name, group string, madeUp bool) {
		status := metav1.Status{
			Status: metav1.StatusFailure, Code: int32(code), Reason: metav1.StatusReason(reason), Message: message,
			Details: &metav1.StatusDetails{Name: name, Group: group, Kind: kind},
		}
		if madeUp {
			status.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeUnexpectedServerResponse, Message: message}}
		}
		said := &apierrors.StatusError{ErrStatus: status}
		for _, err := range []error{said, fmt.Errorf("east: %w", said)} {
			got := callError(called{"cluster", "east"}, err)
			checkWords(t, got)
			checkSecret(t, got, strings.Join([]string{message, reason, kind, name, group}, " | "))
			if apierrors.IsNotFound(got) && (madeUp || name == "" || reason != string(metav1.StatusReasonNotFound)) {
				t.Errorf("read as an absence: %+v", status)
			}
		}
	})
}

// checkWords holds for the text of every error that is translated.
func checkWords(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("an error was lost")
	}
	text := err.Error()
	switch {
	case len(text) > maxWords+maxTitle:
		t.Errorf("%d bytes: %q", len(text), text)
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Errorf("characters that are not shown: %q", text)
	case credential.MatchString(text):
		t.Errorf("a credential: %q", text)
	case !isAboutRequest(err) && tellsAddress(text):
		t.Errorf("an address: %q", text)
	}
	var said apierrors.APIStatus
	if errors.As(err, &said) && len(said.Status().Message) > maxWords+maxTitle {
		t.Error("the status in the chain is longer than the error")
	}
}

// isAboutRequest reports whether an error is a server's word about the caller's own object, which
// may quote an address of it.
func isAboutRequest(err error) bool {
	var refused *CallError
	status := apierrors.APIStatus(nil)
	return !errors.As(err, &refused) && errors.As(err, &status) && status.Status().Code < http.StatusInternalServerError
}

// checkSecret fails where an error tells what a text has after the word bearer, and there alone.
func checkSecret(t *testing.T, err error, said string) {
	t.Helper()
	shown := printable(said)
	for _, found := range secretIn.FindAllStringSubmatch(shown, -1) {
		if secret := found[1]; strings.Count(shown, secret) == 1 && strings.Contains(err.Error(), secret) {
			t.Errorf("a credential: %q", err)
		}
	}
}

var (
	credential = regexp.MustCompile(`(?i)bearer +[^ ]`)
	secretIn   = regexp.MustCompile(`(?i)(?:bearer )+([^ ]{8,})`)
	// addressWord is a run of the characters of an address.
	addressWord = regexp.MustCompile(`[\w.:%]+`)
)

// tellsAddress reports whether a text has an IP address as a word of its own.
func tellsAddress(text string) bool {
	for _, word := range addressWord.FindAllString(text, -1) {
		if _, err := netip.ParseAddr(strings.Trim(word, ".:")); err == nil {
			return true
		}
		if _, err := netip.ParseAddrPort(strings.TrimRight(word, ".:")); err == nil {
			return true
		}
	}
	return false
}

// answerer is a server in the same process that has one answer.
type answerer struct {
	code int
	kind string // the content type
	body []byte
}

func (a *answerer) RoundTrip(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte() // as net/http does
	}
	return &http.Response{
		StatusCode: a.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {a.kind}},
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req,
	}, nil
}

// clientOf returns a client of the server, as a connection has it.
func clientOf(f *testing.F, server *answerer) client.Client {
	f.Helper()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	direct, err := client.New(&rest.Config{Host: "https://cluster.invalid", QPS: -1}, client.Options{
		HTTPClient: &http.Client{Transport: server}, Scheme: clientgoscheme.Scheme, Mapper: mapper,
	})
	if err != nil {
		f.Fatal(err)
	}
	gate := func() error { return nil }
	return &remoteClient{called: called{"cluster", "east"}, direct: answeredClient{direct}, gate: gate, failed: func() {}}
}

// FuzzAnswer has a server answer every call with the same bytes, through all of client-go: what is
// accepted is what was asked for, and what is not is never an absence that no API server told.
func FuzzAnswer(f *testing.F) {
	const object = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"1","resourceVersion":"7"}}`
	const status = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"m",` +
		`"details":{"name":"a","kind":"configmaps"}}`
	for _, body := range []string{
		object, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{}]}`, status, "{}", "",
		"null", "[]", "7", `"hunter2"`, `{"status":"ok"}`, "<html>Bearer hunter2-hunter2 10.0.0.1</html>", `{"metadata":{"name":[]}}`,
		strings.Replace(status, `"name":"a"`, `"name":""`, 1), strings.Replace(status, `"Failure"`, `"Success"`, 1),
		strings.Replace(status, `"m"`, `"Bearer hunter2-hunter2 \u001b 10.0.0.1:6443"`, 1), `{"kind":"Pod","apiVersion":"v1"}`,
		strings.Replace(object, `"name":"a"`, `"name":"b"`, 1), strings.Replace(object, `"uid":"1"`, `"UID":"1"`, 1),
		`{"hunter2":"` + strings.Repeat("x", 3000) + `"}`, `{"kind":"A\nB","apiVersion":"x/y/z"}`, `{"items":{}}`, "k8s\x00\n\x00",
	} {
		for _, code := range []uint16{200, 201, 403, 404, 500, 504} {
			f.Add(code, true, []byte(body))
			f.Add(code, false, []byte(body))
		}
	}
	server := &answerer{}
	remote := clientOf(f, server)
	f.Fuzz(func(t *testing.T, code uint16, isJSON bool, body []byte) {
		*server = answerer{code: int(code), body: body, kind: map[bool]string{true: "application/json", false: "text/plain"}[isJSON]}
		if code < 200 || code > 599 || code/100 == 3 {
			return // net/http hands over none of these
		}
		key := client.ObjectKey{Namespace: "ns", Name: "a"}
		for _, into := range []client.Object{
			&corev1.ConfigMap{}, untyped("ConfigMap"), &metav1.PartialObjectMetadata{TypeMeta: typeOf("ConfigMap")},
		} {
			err := remote.Get(t.Context(), key, into)
			checkAnswer(t, server, into.GetName() == "a" && into.GetUID() != "", err)
		}
		created := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}}
		err := remote.Create(t.Context(), created)
		checkAnswer(t, server, created.Name == "a" && created.UID != "", err)
		for _, into := range []client.ObjectList{
			&corev1.ConfigMapList{}, untypedList(), &metav1.PartialObjectMetadataList{TypeMeta: typeOf("ConfigMapList")},
		} {
			err := remote.List(t.Context(), into)
			if checkAnswer(t, server, into.GetResourceVersion() != "", err); errors.Is(err, ErrNotConnected) && meta.LenList(into) > 0 {
				t.Errorf("%d items of a list that is no answer", meta.LenList(into))
			}
		}
	})
}

func typeOf(kind string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: "v1", Kind: kind} }

func untyped(kind string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
}

func untypedList() *unstructured.UnstructuredList {
	return &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMapList"}}
}

// checkAnswer holds for one call; complete says whether it gave all that an API server gives.
func checkAnswer(t *testing.T, server *answerer, complete bool, err error) {
	t.Helper()
	if err == nil {
		if !complete || server.code >= http.StatusMultipleChoices {
			t.Errorf("taken for an answer: %d %q", server.code, server.body)
		}
		return
	}
	checkWords(t, err)
	var said metav1.Status
	isStatus := json.Unmarshal(server.body, &said) == nil && said.Reason == metav1.StatusReasonNotFound
	if apierrors.IsNotFound(err) && (!isStatus || said.Details == nil || said.Details.Name == "") {
		t.Errorf("read as an absence: %d %q", server.code, server.body)
	}
}
