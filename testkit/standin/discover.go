package standin

import (
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// verbs are those of every kind.
var verbs = metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"}

// discover answers what leads to no kind: what is served, who serves it, and whether it is ready.
func (s *Server) discover(w http.ResponseWriter, req *http.Request) {
	switch path := strings.TrimSuffix(req.URL.Path, "/"); path {
	case "/version":
		send(w, version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.2"})
	case "/readyz", "/livez", "/healthz":
		_, _ = io.WriteString(w, "ok")
	case "/api":
		send(w, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
	case "/apis":
		send(w, groups())
	default:
		list := metav1.APIResourceList{
			TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
			GroupVersion: strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/"),
		}
		for _, r := range append(resources, reviews) {
			if r.root() == path {
				list.APIResources = append(list.APIResources, described(r)...)
			}
		}
		if len(list.APIResources) == 0 {
			fail(w, apierrors.NewNotFound(schema.GroupResource{}, path))
			return
		}
		send(w, list)
	}
}

func described(r resource) []metav1.APIResource {
	described := []metav1.APIResource{{Name: r.plural, Kind: r.kind, Namespaced: r.namespaced, Verbs: verbs}}
	if r.status {
		described = append(described, metav1.APIResource{Name: r.plural + "/status", Kind: r.kind,
			Namespaced: r.namespaced, Verbs: metav1.Verbs{"get", "patch", "update"}})
	}
	return described
}

// groups are the API groups but for the core one.
func groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	seen := map[string]bool{"": true}
	for _, r := range append(resources, reviews) {
		if seen[r.group] {
			continue
		}
		seen[r.group] = true
		version := metav1.GroupVersionForDiscovery{GroupVersion: r.apiVersion(), Version: r.version}
		list.Groups = append(list.Groups, metav1.APIGroup{Name: r.group, PreferredVersion: version,
			Versions: []metav1.GroupVersionForDiscovery{version}})
	}
	return list
}
