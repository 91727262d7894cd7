package placement_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies holds the import rules: the contract and its conformance suite are the standard
// library alone, and no package of this module knows Kubernetes.
func TestDependencies(t *testing.T) {
	const module = "github.com/vitistack/kubevirt-multicluster/placement"
	cases := map[string]struct {
		reason    string
		packages  []string
		forbidden func(dependency string) bool
	}{
		"the contract and its suite": {
			reason:   "a strategy needs the standard library and this package alone",
			packages: []string{module, module + "/placementtest"},
			forbidden: func(dependency string) bool {
				host, _, _ := strings.Cut(dependency, "/")
				return strings.Contains(host, ".") && dependency != module && dependency != module+"/placementtest"
			},
		},
		"the whole module": {
			reason:   "a Kubernetes bump never rebuilds a plugin",
			packages: []string{"-test", "./..."},
			forbidden: func(dependency string) bool {
				return strings.HasPrefix(dependency, "k8s.io/") || strings.HasPrefix(dependency, "sigs.k8s.io/") ||
					strings.HasPrefix(dependency, "kubevirt.io/")
			},
		},
		"package plugin": {
			reason:    "host and SDK get no new dependency that was not decided on",
			packages:  []string{module + "/plugin"},
			forbidden: func(dependency string) bool { return !allowed(dependency) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"list", "-deps"}, tc.packages...)
			out, err := exec.CommandContext(t.Context(), "go", args...).Output()
			if err != nil {
				t.Fatalf("go %s: %v", strings.Join(args, " "), err)
			}
			dependencies := strings.Fields(string(out))
			if len(dependencies) < 10 {
				t.Fatalf("go list named %d packages, too few to believe", len(dependencies))
			}
			for _, dependency := range dependencies {
				if tc.forbidden(dependency) {
					t.Errorf("\n%s\nforbidden dependency %s", tc.reason, dependency)
				}
			}
		})
	}
}

// allowed are the standard library, this module and what package plugin stands on.
// github.com/go-logr/logr is an interface without dependencies: it does not bring Kubernetes along.
func allowed(dependency string) bool {
	host, _, _ := strings.Cut(dependency, "/")
	if !strings.Contains(host, ".") {
		return true
	}
	for _, prefix := range []string{
		"github.com/vitistack/kubevirt-multicluster/placement",
		"github.com/hashicorp/go-plugin", "github.com/hashicorp/go-hclog", "github.com/hashicorp/go-multierror",
		"github.com/go-logr/logr", "github.com/google/jsonschema-go",
		"google.golang.org/grpc", "google.golang.org/protobuf", "golang.org/x/sys",
		// what these bring along
		"github.com/hashicorp/errwrap", "github.com/hashicorp/yamux", "github.com/oklog/run", "github.com/golang/protobuf",
		"github.com/fatih/color", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty",
		"golang.org/x/net", "golang.org/x/text", "google.golang.org/genproto/googleapis/rpc",
	} {
		if dependency == prefix || strings.HasPrefix(dependency, prefix+"/") {
			return true
		}
	}
	return false
}
