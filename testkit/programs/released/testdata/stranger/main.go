// Command stranger is somebody else's program: it uses each library of the workspace, by its released version alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() {
	if len(os.Args) > 1 { // the operator starts it as a placement plugin
		plugin.Serve(placement.Explicit{})
		return
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	clusters := clientmgr.NewMockClientManager()
	clusters.AddMockedConfig(&v1alpha1.KubevirtConfig{})
	configs, err := clusters.ListKubevirtConfigs(ctx)
	if err != nil {
		return err
	}
	file, err := crds.FS.Open("vitistack.io_machines.yaml")
	if err != nil {
		return err
	}
	defer file.Close()
	definitions, err := crdcheck.Load(file)
	if err != nil {
		return err
	}
	report := crdcheck.Require(crdcheck.Observed("supervisor", definitions...), []crdcheck.Requirement{{
		CRD: "machines.vitistack.io", Version: "v1alpha1", Fields: []crdcheck.Field{crdcheck.Reads("spec.instanceType")},
	}})
	fmt.Println(len(configs), "config,", len(report.Findings), "findings")
	return nil
}
