package transport_test

import (
	"fmt"
	"net/url"

	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

func ExampleSwap() {
	target := kubeconfig.Target{
		Server: url.URL{Scheme: "https", Host: "east.example.com:6443"},
		Token:  kubeconfig.NewSecret("first"),
	}
	endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	swap := transport.NewSwap(endpoint, transport.SwapOptions{})
	defer swap.Close()
	config := &rest.Config{Host: transport.Host("cluster-east"), Transport: swap, QPS: -1}
	fmt.Println(config.Host)

	// The token was rotated. Ask the candidate who it is before it is put in place: this package does
	// not.
	target.Token = kubeconfig.NewSecret("second")
	candidate, err := endpoint.WithTarget(target, transport.EndpointOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("no new connection:", candidate.SharesConnections(endpoint))
	swap.Set(candidate)
	swap.CutOld(false)
	// Output:
	// https://cluster-east.invalid
	// no new connection: true
}
