package plugin_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// A sharing is a kind of side-car that two configurations can share.
type sharing struct {
	reason string
	name   string
	serve  func(t *testing.T, socket string)
	// east and west are configurations under which the side-car decides for that cluster.
	east, west string
	// wrong is a configuration that it refuses.
	wrong string
}

var sharings = map[string]sharing{
	"side-car that checks configurations": {
		reason: "a side-car of today has a configuration checked without using it",
		name:   "zone",
		serve:  func(t *testing.T, socket string) { sidecar(t, socket, "zone", "zone") },
		east:   `{"zone":"east"}`, west: `{"zone":"west"}`, wrong: `{"zone":""}`,
	},
	"side-car that does not": {
		reason: "an older side-car gets a configuration when all else is ready, and the one before back if it refuses",
		name:   "zone-js",
		serve:  func(t *testing.T, socket string) { nodeSidecar(t, socket) },
		east:   `{"key":"site"}`, west: `{"key":"zone"}`, wrong: `{"key":""}`,
	},
}

func (s sharing) entry(socket, config string) plugin.Entry {
	return plugin.Entry{Name: s.name, Socket: socket, Config: json.RawMessage(config)}
}

// inZones is a request that the side-cars answer by their configuration.
func inZones() placement.Request {
	req := request("east", "west")
	req.Machine.Labels = map[string]string{"site": "a", "zone": "b"}
	req.Candidates[0].Labels = map[string]string{"site": "a", "zone": "a"}
	req.Candidates[1].Labels = map[string]string{"site": "b", "zone": "b"}
	return req
}

// TestRefusedUpdateDecidesNothing asks all the time while an update waits for a plugin that never
// comes up, and shares its side-car with the current configuration.
func TestRefusedUpdateDecidesNothing(t *testing.T) {
	for name, tc := range sharings {
		t.Run(name, func(t *testing.T) {
			opts := options(t)
			socket := filepath.Join(opts.TempDir, "s")
			tc.serve(t, socket)
			opts.Entries = []plugin.Entry{tc.entry(socket, tc.east)}
			opts.Limits.Start = 2 * time.Second
			host := start(t, opts)
			if err := host.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, refused := range [][]plugin.Entry{
				{tc.entry(socket, tc.west), named("other", "silent")}, {tc.entry(socket, tc.wrong)},
			} {
				asked, ended := 0, make(chan error, 1)
				go func() { ended <- host.Update(t.Context(), refused) }()
				for done := false; !done; asked++ {
					select {
					case err := <-ended:
						done = true
						if err == nil {
							t.Error("Update(): want it refused")
						}
					default:
					}
					got, trace, err := host.Place(t.Context(), placement.Given(inZones()))
					if err != nil || got.Config != "east" {
						t.Fatalf("\n%s\nquestion %d: want east, got %v, %v (%v)", tc.reason, asked, got, err, trace)
					}
				}
			}
			if err := host.Update(t.Context(), []plugin.Entry{tc.entry(socket, tc.west)}); err != nil {
				t.Fatal(err)
			}
			if got, trace, err := host.Place(t.Context(), placement.Given(inZones())); err != nil || got.Config != "west" {
				t.Errorf("\n%s\nafter an update: want west, got %v, %v (%v)", tc.reason, got, err, trace)
			}
		})
	}
}

// TestTwoHostsShareASidecar has each host get the answers of its own configuration, whichever was
// handed over last.
func TestTwoHostsShareASidecar(t *testing.T) {
	opts := options(t)
	socket := filepath.Join(opts.TempDir, "s")
	tc := sharings["side-car that checks configurations"]
	tc.serve(t, socket)
	hosts := map[string]*plugin.Host{}
	for cluster, config := range map[string]string{"east": tc.east, "west": tc.west} {
		opts.Entries = []plugin.Entry{tc.entry(socket, config)}
		hosts[cluster] = start(t, opts)
		if err := hosts[cluster].WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for cluster, host := range hosts {
			got, trace, err := host.Place(t.Context(), placement.Given(inZones()))
			if err != nil || got.Config != cluster {
				t.Errorf("the host of %s: got %v, %v (%v)", cluster, got, err, trace)
			}
		}
	}
}
