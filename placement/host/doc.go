// Package placementhost runs the placement strategies that a file names, each in a process of its
// own, follows the file while it runs, and has the metrics of them.
//
//	source := placementhost.Source{Dir: "/plugins", File: "/etc/placement.yaml"}
//	host, err := placementhost.New(source, placementhost.Options{})
//	registry.MustRegister(host.Collector())
//	go host.Start(ctx)
//	decision, trace, err := host.Place(ctx, gather)
//
// The file and the digests beside the plugins are read again every ten seconds. Another
// configuration is put in place as a whole or not at all; a configuration that cannot be put in
// place is tried again, at longer and longer intervals, while the former one goes on.
package placementhost
