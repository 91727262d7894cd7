module github.com/vitistack/kubevirt-multicluster/clientmgr

go 1.26.0

require (
	github.com/vitistack/kubevirt-multicluster/operator/api v0.1.0
	github.com/hashicorp/go-multierror v1.1.1
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/client-go v0.37.2
	sigs.k8s.io/controller-runtime v0.25.2
)

replace (
	github.com/vitistack/kubevirt-multicluster/operator/api => ../operator/api
	github.com/vitistack/kubevirt-multicluster/testkit => ../testkit
)
