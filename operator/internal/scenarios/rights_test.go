package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// right is one verb on one resource, in one namespace or, with "", in all.
type right struct{ group, resource, verb, namespace string }

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.group != "" {
		text += "." + r.group
	}
	if r.namespace != "" {
		text += " in " + r.namespace
	}
	return text
}

// covers says whether a call needs the right.
func (r right) covers(c call) bool {
	resource := c.ObjectRef.Resource
	if c.ObjectRef.Subresource != "" {
		resource += "/" + c.ObjectRef.Subresource
	}
	return r.verb == c.Verb && r.group == c.ObjectRef.APIGroup && r.resource == resource &&
		(r.namespace == "" || r.namespace == c.ObjectRef.Namespace)
}

// checkRights compares what the operator did in all tests, by the API servers' audit logs, with its
// documented rights, which were the only ones that it had: none is missing, and where every test
// ran none is unused.
func checkRights(everyTest bool) error {
	var problems []error
	for _, place := range []struct {
		name     string
		manifest []byte
		clusters []*fleet.Cluster
	}{
		{"supervisor", rbac.Supervisor, []*fleet.Cluster{world.fleet.Supervisor}},
		{"remote", rbac.Remote, world.fleet.Remotes},
	} {
		rights, err := documented(place.manifest)
		if err != nil {
			return err
		}
		var calls []call
		for _, cluster := range place.clusters {
			some, err := audited(cluster)
			if err != nil {
				return err
			}
			calls = append(calls, some...)
		}
		refused, unused := compare(rights, calls)
		if len(refused) > 0 {
			problems = append(problems, fmt.Errorf("rights that are missing in the %s:\n\t%s", place.name,
				strings.Join(refused, "\n\t")))
		}
		if len(unused) > 0 && everyTest {
			problems = append(problems, fmt.Errorf("rights that nothing uses in the %s:\n\t%s", place.name,
				strings.Join(unused, "\n\t")))
		}
	}
	return errors.Join(problems...)
}

// compare returns the calls that were forbidden, and the rights that no call needed.
func compare(rights []right, calls []call) (refused, unused []string) {
	for _, c := range calls {
		if c.Annotations["authorization.k8s.io/decision"] == "forbid" {
			refused = append(refused, c.String())
		}
	}
	for _, r := range rights {
		if !slices.ContainsFunc(calls, r.covers) {
			unused = append(unused, r.String())
		}
	}
	slices.Sort(refused)
	return slices.Compact(refused), unused
}

// TestRightsAreCompared: a comparison that cannot fail would find nothing for ever.
func TestRightsAreCompared(t *testing.T) {
	for name, manifest := range map[string][]byte{"supervisor": rbac.Supervisor, "remote": rbac.Remote} {
		rights, err := documented(manifest)
		if err != nil || len(rights) < 20 {
			t.Fatalf("%s: %d rights: %v", name, len(rights), err)
		}
		if _, unused := compare(rights, nil); len(unused) != len(rights) {
			t.Errorf("%s: without a call %d of %d rights are unused", name, len(unused), len(rights))
		}
	}
	allowed, forbidden := call{Verb: "get"},
		call{Verb: "list", Annotations: map[string]string{"authorization.k8s.io/decision": "forbid"}}
	allowed.ObjectRef.Resource, allowed.ObjectRef.Namespace, forbidden.ObjectRef.Resource = "secrets", "a", "pods"
	refused, unused := compare([]right{
		{"", "secrets", "get", ""}, {"", "secrets", "get", "a"}, {"", "secrets", "get", "b"}, {"", "secrets", "list", ""},
		{"", "secrets/status", "get", ""},
	}, []call{allowed, forbidden, forbidden})
	if diff := cmp.Diff([]string{"list pods /"}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"get secrets in b", "list secrets", "get secrets/status"}, unused); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

// documented are the rights of the roles in a YAML stream.
func documented(stream []byte) ([]right, error) {
	var rights []right
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		role := &rbacv1.Role{} // a ClusterRole has no namespace and the same rules
		err := decoder.Decode(role)
		if errors.Is(err, io.EOF) {
			return rights, nil
		}
		if err != nil {
			return nil, err
		}
		if role.Kind != "Role" && role.Kind != "ClusterRole" {
			continue
		}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						rights = append(rights, right{group, resource, verb, role.Namespace})
					}
				}
			}
		}
	}
}
