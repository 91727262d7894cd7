package differential

// release is one version of a public project: where its definitions are in its module.
type release struct {
	module, version string
	files           string // a pattern of file names; "" means KubeVirt's generated code
}

// projects are the releases that are compared, in their order. Modules are small on purpose: all of
// them together are downloaded in about 190 MB.
var projects = map[string][]release{
	"argo-rollouts": releases("github.com/argoproj/argo-rollouts", "manifests/crds/*.yaml", "v1.7.2", "v1.8.0"),
	"cert-manager":  releases("github.com/cert-manager/cert-manager", "deploy/crds/*.yaml", "v1.17.0", "v1.18.0"),
	"cloudnative-pg": releases(
		"github.com/cloudnative-pg/cloudnative-pg", "config/crd/bases/*.yaml", "v1.24.1", "v1.25.0",
	),
	"cluster-api": releases("sigs.k8s.io/cluster-api", "config/crd/bases/*.yaml", "v1.10.0", "v1.11.0"),
	"crossplane":  releases("github.com/crossplane/crossplane", "cluster/crds/*.yaml", "v1.17.1", "v1.18.2"),
	"external-dns": releases(
		"sigs.k8s.io/external-dns", "charts/external-dns/crds/*.yaml", "v0.15.0", "v0.15.1",
	),
	"external-snapshotter": releases(
		"github.com/kubernetes-csi/external-snapshotter/client/v8", "config/crd/*.yaml", "v8.0.0", "v8.2.0",
	),
	"gateway-api": releases(
		"sigs.k8s.io/gateway-api", "config/crd/standard/*.yaml", "v1.4.1", "v1.5.1", "v1.6.3",
	),
	"gateway-api experimental": releases(
		"sigs.k8s.io/gateway-api", "config/crd/experimental/*.yaml", "v1.4.1", "v1.5.1", "v1.6.3",
	),
	"istio": releases(
		"istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml", "v1.23.0", "v1.24.0", "v1.32.0",
	),
	"jobset":    releases("sigs.k8s.io/jobset", "config/components/crd/bases/*.yaml", "v0.6.0", "v0.7.3"),
	"karpenter": releases("sigs.k8s.io/karpenter", "pkg/apis/crds/*.yaml", "v1.0.5", "v1.1.1"),
	"keda":      releases("github.com/kedacore/keda/v2", "config/crd/bases/*.yaml", "v2.15.1", "v2.16.1"),
	"kuberay": releases(
		"github.com/ray-project/kuberay/ray-operator", "config/crd/bases/*.yaml", "v1.2.2", "v1.3.0", "v1.5.0",
	),
	"kubevirt": releases("kubevirt.io/kubevirt", "", "v1.6.0", "v1.7.0", "v1.8.2", "v1.9.0"),
	"kueue": releases(
		"sigs.k8s.io/kueue", "config/components/crd/bases/*.yaml", "v0.9.1", "v0.10.1", "v0.17.0",
	),
	"lws":     releases("sigs.k8s.io/lws", "config/crd/bases/*.yaml", "v0.4.0", "v0.5.1"),
	"mcs-api": releases("sigs.k8s.io/mcs-api", "config/crd/*.yaml", "v0.1.0", "v0.2.0"),
	"metallb": releases("go.universe.tf/metallb", "config/crd/bases/*.yaml", "v0.14.8", "v0.14.9"),
	"open-cluster-management": releases(
		"open-cluster-management.io/api", "*/v*/*.crd.yaml", "v0.14.0", "v0.15.0",
	),
	"operator-framework": releases("github.com/operator-framework/api", "crds/*.yaml", "v0.27.0", "v0.30.0"),
	"prometheus-operator": releases(
		"github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*.yaml",
		"v0.78.2", "v0.79.2",
	),
}

// releases are the versions of a module, oldest first.
func releases(module, files string, versions ...string) []release {
	var all []release
	for _, version := range versions {
		all = append(all, release{module, version, files})
	}
	return all
}
