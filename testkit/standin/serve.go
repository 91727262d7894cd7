package standin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
)

// maxBody is what a request may send.
const maxBody = 3 << 20

// fairnessHeader is on every answer of an API server with Priority and Fairness.
const fairnessHeader = "X-Kubernetes-Pf-Flowschema-Uid"

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	to, found := targetOf(req.URL.Path)
	s.calls.add(to.call(req))
	if !s.gate.pass(req.Context()) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(fairnessHeader, "stand-in")
	if req.Header.Get("Authorization") != "Bearer "+token {
		fail(w, apierrors.NewUnauthorized("Unauthorized"))
		return
	}
	if !found {
		s.discover(w, req)
		return
	}
	if to.resource == definitions && to.name == "" { // as the operator's role has it: they are megabytes
		fail(w, apierrors.NewForbidden(schema.GroupResource{Group: to.group, Resource: to.plural}, "",
			errors.New("definitions are read one by one")))
		return
	}
	if query := req.URL.Query(); req.Method == http.MethodGet && to.name == "" {
		chosen, err := selectionOf(to, query.Get("labelSelector"), query.Get("fieldSelector"))
		switch {
		case err != nil:
			fail(w, apierrors.NewBadRequest(err.Error()))
		case query.Get("watch") == "true" || query.Get("watch") == "1":
			s.watch(w, req, to.resource, chosen)
		default:
			s.list(w, to.resource, chosen)
		}
		return
	}
	code, body, err := s.one(req, to)
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that hung up
}

// target is what a path leads to.
type target struct {
	resource
	key
	subresource string
}

// targetOf reads a path: ROOT/[namespaces/NAMESPACE/]PLURAL[/NAME[/SUBRESOURCE]].
func targetOf(path string) (to target, found bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	length := 3 // apis/GROUP/VERSION
	if parts[0] == "api" {
		length = 2
	}
	if len(parts) <= length {
		return to, false
	}
	root, rest := "/"+strings.Join(parts[:length], "/"), parts[length:]
	if len(rest) > 2 && rest[0] == "namespaces" {
		if r, is := resourceOf(root, rest[2]); is && r.namespaced {
			to.namespace, rest = rest[1], rest[2:]
		}
	}
	if to.resource, found = resourceOf(root, rest[0]); !found {
		return to, false
	}
	if len(rest) > 1 {
		to.name = rest[1]
	}
	if len(rest) > 2 {
		to.subresource = rest[2]
	}
	return to, len(rest) <= 3
}

// call is what Server.Calls counts a request as.
func (t target) call(req *http.Request) string {
	verb := map[string]string{http.MethodPost: "create", http.MethodPut: "update"}[req.Method]
	switch watch := req.URL.Query().Get("watch"); {
	case verb != "":
	case req.Method == http.MethodGet && (watch == "true" || watch == "1"):
		verb = "watch"
	case req.Method == http.MethodGet && t.name == "" && t.plural != "":
		verb = "list"
	default:
		verb = strings.ToLower(req.Method)
	}
	call := strings.TrimSpace(verb + " " + t.plural)
	if t.subresource != "" {
		call += "/" + t.subresource
	}
	return call
}

// selectionOf reads the selectors of a query.
func selectionOf(of target, byLabel, byField string) (chosen selection, err error) {
	chosen.namespace = of.namespace
	if chosen.labels, err = labels.Parse(byLabel); err != nil {
		return chosen, err
	}
	field, err := fields.ParseSelector(byField)
	if err != nil {
		return chosen, err
	}
	for _, requirement := range field.Requirements() {
		switch requirement.Field {
		case "metadata.name":
			chosen.name = requirement.Value
		case "metadata.namespace":
			chosen.namespace = requirement.Value
		default:
			return chosen, fmt.Errorf("field label not supported: %s", requirement.Field)
		}
	}
	return chosen, nil
}

// list answers with all chosen objects, in one page.
func (s *Server) list(w io.Writer, r resource, chosen selection) {
	objects, revision := s.Cluster.list(r, chosen)
	_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"%d"},"items":[`,
		r.kind, r.apiVersion(), revision)
	for i, object := range objects {
		if i > 0 {
			_, _ = io.WriteString(w, ",")
		}
		_, _ = w.Write(object.body) // a client that hung up
	}
	_, _ = io.WriteString(w, "]}")
}

// one answers what concerns one object.
func (s *Server) one(req *http.Request, to target) (code int, body []byte, err error) {
	body, err = io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		return 0, nil, apierrors.NewBadRequest(err.Error())
	}
	trial := req.URL.Query().Get("dryRun") != ""
	var object *stored
	code = http.StatusOK
	switch req.Method {
	case http.MethodGet:
		if err := s.notOlder(req.URL.Query().Get("resourceVersion")); err != nil {
			return 0, nil, err
		}
		object, err = s.get(to.resource, to.key)
	case http.MethodPost:
		code = http.StatusCreated
		if to.resource == reviews {
			body, err = allow(body)
			return code, body, err
		}
		object, err = s.post(to, body, trial)
	case http.MethodPut:
		object, err = s.change(to.resource, to.key, to.subresource, replaced(body), trial)
	case http.MethodPatch:
		kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
		var by alter
		if by, err = patched(types.PatchType(kind), body); err == nil {
			object, err = s.change(to.resource, to.key, to.subresource, by, trial)
		}
	case http.MethodDelete:
		object, err = s.delete(to, body, trial)
	default:
		err = apierrors.NewMethodNotSupported(schema.GroupResource{Resource: to.plural}, req.Method)
	}
	if err != nil {
		return 0, nil, err
	}
	if req.Method != http.MethodGet && !trial {
		s.play.wake(to.resource, object)
	}
	return code, object.body, nil
}

// notOlder refuses a read that wants to be newer than all there is.
func (s *Server) notOlder(resourceVersion string) error {
	if resourceVersion == "" || resourceVersion == "0" {
		return nil
	}
	wanted, err := strconv.ParseInt(resourceVersion, 10, 64)
	if err != nil {
		return apierrors.NewBadRequest("invalid resource version")
	}
	if has := s.revision(); wanted > has {
		late := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", wanted, has), 1)
		late.ErrStatus.Details.Causes = []metav1.StatusCause{{
			Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
		}}
		return late
	}
	return nil
}

func (s *Server) post(to target, body []byte, trial bool) (*stored, error) {
	object, err := decode(body)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if to.namespaced {
		object.SetNamespace(to.namespace)
	}
	made, err := s.create(to.resource, object, trial)
	if err == nil && !trial && s.told != nil {
		s.told(s.name, to.plural, made.key.namespace, made.key.name)
	}
	return made, err
}

func (s *Server) delete(to target, body []byte, trial bool) (*stored, error) {
	var options metav1.DeleteOptions
	if len(body) > 0 {
		if err := json.Unmarshal(body, &options); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	var wanted preconditions
	if asked := options.Preconditions; asked != nil {
		if asked.UID != nil {
			wanted.uid = string(*asked.UID)
		}
		if asked.ResourceVersion != nil {
			wanted.resourceVersion = *asked.ResourceVersion
		}
	}
	return s.remove(to.resource, to.key, wanted, trial || len(options.DryRun) > 0)
}

// allow answers a review: everything is allowed.
func allow(body []byte) ([]byte, error) {
	review, err := decode(body)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if err := unstructured.SetNestedField(review.Object, true, "status", "allowed"); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return json.Marshal(review.Object)
}

func unsupported(contentType string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("a stand-in takes no %q", contentType),
	}}
}

// fail answers with an error as an API server does.
func fail(w http.ResponseWriter, err error) {
	status := apierrors.NewInternalError(err).ErrStatus
	if known := apierrors.APIStatus(nil); errors.As(err, &known) {
		status = known.Status()
	}
	status.Kind, status.APIVersion = "Status", "v1"
	w.WriteHeader(int(status.Code))
	send(w, status)
}

// send writes an object; a client that hung up gets nothing.
func send(w io.Writer, object any) {
	if body, err := json.Marshal(object); err == nil {
		_, _ = w.Write(body)
	}
}
