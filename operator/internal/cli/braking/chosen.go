package braking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// chosen says which Machines a command is about.
type chosen struct {
	subject reach.Subject
	all     bool   // those of the namespace
	cluster string // "" for none

	names     []client.ObjectKey // once it is open
	namespace string             // with all
}

func (c *chosen) add(cmd *cobra.Command) {
	c.subject.Add(cmd.Flags())
	cmd.Flags().BoolVar(&c.all, "namespace-all", false, "all Machines of the namespace")
	cmd.Flags().StringVar(&c.cluster, "cluster", "", "all Machines in a cluster, by the name of its KubevirtConfig")
}

// open reads the arguments and returns the way to the supervisor.
func (c *chosen) open(cmd *cobra.Command, args []string) (*reach.Supervisor, error) {
	ways := 0
	for _, is := range []bool{len(args) > 0, c.all, c.cluster != ""} {
		if is {
			ways++
		}
	}
	if ways != 1 {
		return nil, errors.New("want names of Machines, --namespace-all or --cluster CLUSTER, and one of them")
	}
	for _, arg := range args {
		key, err := c.subject.Key(arg)
		if err != nil {
			return nil, err
		}
		c.names = append(c.names, key)
	}
	if c.all {
		key, err := c.subject.Key("all")
		if err != nil {
			return nil, err
		}
		c.namespace = key.Namespace
	}
	return c.subject.Way.Open(cmd.Context())
}

// find reads the Machines.
func (c *chosen) find(ctx context.Context, supervisor *reach.Supervisor) ([]vitistackv1alpha1.Machine, error) {
	var machines []vitistackv1alpha1.Machine
	for _, key := range c.names {
		machine, err := reach.Machine(ctx, supervisor, key)
		if err != nil {
			return nil, err
		}
		machines = append(machines, *machine)
	}
	if len(c.names) > 0 {
		return machines, nil
	}
	if c.cluster != "" {
		if _, err := supervisor.KubevirtConfig(ctx, c.cluster); err != nil {
			return nil, err
		}
	}
	list := &vitistackv1alpha1.MachineList{}
	if err := supervisor.List(ctx, list, client.InNamespace(c.namespace)); err != nil {
		return nil, fmt.Errorf("listing Machines: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(m vitistackv1alpha1.Machine) bool {
		return c.cluster != "" && clusterOf(&m) != c.cluster
	}), nil
}

// String names them for people.
func (c *chosen) String() string {
	switch {
	case c.cluster != "":
		return "Cluster " + c.cluster
	case c.all:
		return "Namespace " + c.namespace
	}
	names := make([]string, len(c.names))
	for i, key := range c.names {
		names[i] = key.String()
	}
	return strings.Join(names, ", ")
}

// clusterOf is the KubevirtConfig of a Machine's cluster, "" where it has no place.
func clusterOf(machine *vitistackv1alpha1.Machine) string {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		return ""
	}
	return ledger.Config
}
