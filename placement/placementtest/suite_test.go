package placementtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
)

func TestExplicit(t *testing.T) { placementtest.Run(t, placement.Explicit{}) }

// culpritEnv makes TestCulprit run the suite on the culprit of that name.
const culpritEnv = "PLACEMENT_TEST_CULPRIT"

var calls atomic.Int64

// culprits break one law each.
var culprits = map[string]placement.Strategy{
	"first candidate": place(placement.Needs{}, func(req placement.Request) (placement.Decision, error) {
		if len(req.Candidates) == 0 {
			return placement.Decision{}, nil
		}
		return placement.Decision{Config: req.Candidates[0].Name}, nil
	}),
	"memory": place(placement.Needs{}, func(placement.Request) (placement.Decision, error) {
		return placement.Decision{Reason: fmt.Sprint(calls.Add(1))}, nil
	}),
	"mutation": place(placement.Needs{}, func(req placement.Request) (placement.Decision, error) {
		req.Machine.Labels["zone"] = "elsewhere"
		return placement.Decision{}, nil
	}),
	"noise": place(placement.Needs{}, func(placement.Request) (placement.Decision, error) {
		fmt.Println("noise")
		return placement.Decision{}, nil
	}),
	"failure": place(placement.Needs{}, func(placement.Request) (placement.Decision, error) {
		return placement.Decision{}, os.ErrInvalid
	}),
	"no words": place(placement.Needs{}, func(placement.Request) (placement.Decision, error) {
		return placement.Decision{}, placement.Hold{}
	}),
	"silence is absence": place(placement.Needs{Presence: true}, firstFound),
	"undeclared need":    place(placement.Needs{}, firstFound),
	"undeclared count": place(placement.Needs{}, func(req placement.Request) (placement.Decision, error) {
		for _, c := range req.Candidates {
			if c.Capacity.Machines != nil && *c.Capacity.Machines == 1 {
				return placement.Decision{Config: c.Name}, nil
			}
		}
		return placement.Decision{}, nil
	}),
	"deafness": placement.NewFunc(
		"deaf", placement.Needs{},
		func(ctx context.Context, _ placement.Request) (placement.Decision, error) {
			if ctx.Err() != nil {
				select {}
			}
			return placement.Decision{}, nil
		},
	),
	"lax check":          &configured{lax: true},
	"unreadable schema":  &configured{schema: `{"type": `},
	"check that is kept": &configured{keeps: true},
	"no name":            placement.NewFunc("", placement.Needs{}, placement.Explicit{}.Place),
}

// configured is a strategy with a configuration: the cluster that it names.
type configured struct {
	schema, config string
	keeps          bool // ValidateConfig keeps what it is to check
	lax            bool // ValidateConfig takes everything
}

func (*configured) Name() string           { return "culprit" }
func (*configured) Needs() placement.Needs { return placement.Needs{} }
func (c *configured) ConfigSchema() []byte { return []byte(c.schema) }

func (c *configured) Place(context.Context, placement.Request) (placement.Decision, error) {
	if c.config != "" {
		return placement.Decision{}, placement.Refusal{Reason: "Configured", Message: c.config}
	}
	return placement.Decision{}, nil
}

func (c *configured) Configure(config []byte) error {
	if !json.Valid(config) {
		return placement.Violations{{Message: "no JSON"}}
	}
	c.config = string(config)
	return nil
}

func (c *configured) ValidateConfig(config []byte) error {
	if c.keeps {
		return c.Configure(config)
	}
	if c.lax {
		return nil
	}
	return (&configured{}).Configure(config)
}

func place(needs placement.Needs, answer func(req placement.Request) (placement.Decision, error)) placement.Strategy {
	return placement.NewFunc("culprit", needs, func(_ context.Context, req placement.Request) (placement.Decision, error) {
		return answer(req)
	})
}

// firstFound is a search as one would write it first: an error from a cluster counts as not found.
func firstFound(req placement.Request) (placement.Decision, error) {
	config := ""
	for _, c := range req.Candidates {
		if c.VM.Found() && (config == "" || c.Name < config) {
			config = c.Name
		}
	}
	return placement.Decision{Config: config}, nil
}

func TestRunConfigs(t *testing.T) {
	placementtest.RunConfigs(t, func() placement.ConfigValidator { return &configured{} },
		map[string]string{"good": "{}", "bad": "{", "none": ""})
}

// TestCulprit is run by TestSuiteFindsCulprits, in a process of its own where it may fail.
func TestCulprit(t *testing.T) {
	if name := os.Getenv(culpritEnv); name != "" {
		if c, is := culprits[name].(*configured); is && c.lax {
			placementtest.RunConfigs(t, func() placement.ConfigValidator { return c }, map[string]string{"Configs": "{"})
			return
		}
		placementtest.Run(t, culprits[name])
	}
}

// TestSuiteFindsCulprits holds that every law can be broken, and that the suite says which one was.
func TestSuiteFindsCulprits(t *testing.T) {
	broken := map[string]string{
		"first candidate":    "IgnoresOrder",
		"memory":             "IsDeterministic",
		"mutation":           "MutatesNothing",
		"noise":              "KeepsStdoutClean",
		"failure":            "IsAnAnswer",
		"no words":           "IsAnAnswer",
		"silence is absence": "UnreachableIsNotAbsent",
		"undeclared need":    "UnreachableIsNotAbsent",
		"undeclared count":   "ReadsWhatItNeeds",
		"deafness":           "Deadline",
		"no name":            "Constants",
		"lax check":          "Configs",
		"unreadable schema":  "Configuration",
		"check that is kept": "Configuration",
	}
	for name, law := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestCulprit$")
			run.Env = append(os.Environ(), culpritEnv+"="+name)
			out, err := run.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "/"+law+" ") {
				t.Errorf("the suite did not find that %s was broken (%v):\n%s", law, err, out)
			}
		})
	}
	if len(broken) != len(culprits) {
		t.Errorf("%d culprits, but %d are known", len(culprits), len(broken))
	}
}
