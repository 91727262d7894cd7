// Command embed runs one plugin and asks it once: embed DIRECTORY NAME SHA256.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: embed DIRECTORY NAME SHA256")
		os.Exit(2)
	}
	if err := ask(context.Background(), os.Args[1], plugin.Entry{Name: os.Args[2], SHA256: os.Args[3]}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, dir string, entries ...plugin.Entry) error {
	host := plugin.NewHost(plugin.Options{Dir: dir, Entries: entries})
	defer func() { _ = host.Close() }()
	if err := host.Start(ctx); err != nil { // the options make no sense; a broken plugin is no error here
		return err
	}
	in := func(zone string) map[string]string { return map[string]string{"zone": zone} }
	decision, trace, err := host.Place(ctx, placement.Given(placement.Request{
		Machine:    placement.Machine{Namespace: "shop", Name: "db-0", Labels: in("b")},
		Candidates: []placement.Candidate{{Name: "east", Labels: in("a")}, {Name: "west", Labels: in("b")}},
	}))
	fmt.Fprintln(os.Stdout, trace) // what each plugin said, also where there is no decision
	if err == nil {
		fmt.Fprintln(os.Stdout, "cluster:", decision.Config)
	}
	return err
}
