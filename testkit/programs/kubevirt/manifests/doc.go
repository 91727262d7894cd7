// Program manifests prints what KubeVirt's and CDI's operators would install in a cluster, taken
// from their own Go packages:
//
//	manifests crds      the custom resource definitions, and the one of Multus
//	manifests webhooks  the webhook configurations of virt-api
//
// The output is a YAML stream whose documents are JSON, so that a reader can send each of them to
// an API server as it is.
package main
