package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Call is one request that an API server answered.
type Call struct {
	// User is the name of who asked.
	User string
	// Verb is get, list, watch, create, update, patch, delete or deletecollection.
	Verb string
	// Group and Resource are the API group, "" for the core one, and the plural name of the kind.
	// Subresource is "" for the object itself.
	Group, Resource, Subresource string
	// Namespace and Name say what was asked about. A list has no Name, and a creation has the one
	// that its object asks for.
	Namespace, Name string
	// URI is the path with its query, as it was asked for.
	URI string
	// Code is the HTTP status of the answer.
	Code int
	// Received and Answered are when the API server got the request and when it had answered it.
	Received, Answered time.Time
	// Annotations are what authorizers and admission plugins noted.
	Annotations map[string]string
}

// Writes says whether the call asks for a change.
func (c Call) Writes() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, c.Verb)
}

// Forbidden says whether the caller did not have the right.
func (c Call) Forbidden() bool { return c.Annotations["authorization.k8s.io/decision"] == "forbid" }

// Kind is the group's resource with its subresource: "virtualmachines.kubevirt.io/status".
func (c Call) Kind() string {
	kind := c.Resource
	if c.Group != "" {
		kind += "." + c.Group
	}
	if c.Subresource != "" {
		kind += "/" + c.Subresource
	}
	return kind
}

// String is the call on one line: "patch machines.vitistack.io/status shop/web 200".
func (c Call) String() string {
	return fmt.Sprintf("%s %s %s %d", c.Verb, c.Kind(), c.object(), c.Code)
}

// object is what was asked about: "shop/web", "web" or, for a list of all namespaces, "*".
func (c Call) object() string {
	switch {
	case c.Namespace == "" && c.Name == "":
		return "*"
	case c.Namespace == "":
		return c.Name
	default:
		return c.Namespace + "/" + cmp.Or(c.Name, "*")
	}
}
