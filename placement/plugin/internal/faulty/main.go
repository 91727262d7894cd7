// Command faulty is a plugin that misbehaves as its first argument says; the host's tests run it.
// Its second argument is the strategy's name.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() {
	mode, name := os.Args[1], os.Args[2]
	if misbehave, found := beforeServing[mode]; found {
		misbehave()
	}
	plugin.ServeFactory(func(log *slog.Logger) (placement.Strategy, error) {
		fmt.Println("printed before the handshake")
		if mode == "factory" {
			return nil, fmt.Errorf("no factory today")
		}
		return strategy{name: name, mode: mode, log: log}, nil
	})
}

// beforeServing are the modes in which there is no proper handshake.
var beforeServing = map[string]func(){
	"exit": func() { os.Exit(3) },
	"exit-without": func() { // the file that its third argument names
		if _, err := os.Stat(os.Args[3]); err != nil {
			os.Exit(3)
		}
	},
	"odd-log": func() { // which go-plugin's own reader does not survive
		for _, line := range []string{
			`{"@message":1}`, `{"@level":[],"@message":"m"}`, `{"@message":"m","@timestamp":{}}`, "null", "[]", "{",
		} {
			fmt.Fprintln(os.Stderr, line)
		}
	},
	"silent":  func() { forever() },
	"garbage": func() { fmt.Println("Hello, world!"); forever() },
	"longline": func() {
		for {
			fmt.Print(strings.Repeat("x", 4096))
		}
	},
	"version":  func() { fmt.Println("1|99|unix|/nowhere|grpc"); forever() },
	"tcp":      func() { fmt.Println("1|1|tcp|127.0.0.1:1|grpc"); forever() },
	"netrpc":   func() { fmt.Println("1|1|unix|/nowhere|netrpc"); forever() },
	"nosocket": func() { fmt.Println("1|1|unix|/nowhere|grpc"); forever() },
}

func forever() { <-time.After(time.Hour) }

// asked counts questions, which a strategy must not do.
var asked atomic.Int64

type strategy struct {
	name, mode string
	log        *slog.Logger
}

func (s strategy) Name() string { return s.name }

func (s strategy) Needs() placement.Needs { return placement.Needs{Presence: s.mode == "presence"} }

func (s strategy) ConfigSchema() []byte {
	switch s.mode {
	case "schema-loop": // which takes the whole stack
		return []byte(`{"$ref":"#"}`)
	case "schema-maze": // each level doubles the time
		return maze(40)
	}
	return []byte(`{"type":"object","properties":{"zone":{"type":"string"}}}`)
}

// maze is a schema of a number of definitions, each of which asks for the next one twice.
func maze(levels int) []byte {
	definitions := map[string]any{fmt.Sprintf("d%d", levels): map[string]any{"type": "object"}}
	for level := range levels {
		next := map[string]any{"$ref": fmt.Sprintf("#/$defs/d%d", level+1)}
		definitions[fmt.Sprintf("d%d", level)] = map[string]any{"allOf": []any{next, next}}
	}
	schema, err := json.Marshal(map[string]any{"$defs": definitions, "$ref": "#/$defs/d0"})
	if err != nil {
		panic(err)
	}
	return schema
}

// zone is the one that the strategy was configured with.
var zone atomic.Value

func (s strategy) Configure(config []byte) error {
	wanted, err := s.check(config)
	if err == nil {
		zone.Store(wanted)
	}
	return err
}

func (s strategy) ValidateConfig(config []byte) error {
	_, err := s.check(config)
	return err
}

// check is the zone of a configuration.
func (s strategy) check(config []byte) (string, error) {
	switch s.mode {
	case "crash-configure":
		os.Exit(4)
	case "escaped-violations":
		return "", placement.Violations{{Field: escaped, Message: escaped}}
	case "violations":
		return "", make(placement.Violations, 100)
	case "violations-flood":
		return "", make(placement.Violations, 1_000_000)
	}
	if len(config) == 0 {
		return "", nil
	}
	var document struct{ Zone string }
	if err := json.Unmarshal(config, &document); err != nil {
		return "", err
	}
	if document.Zone == "" {
		return "", placement.Violations{{Field: "zone", Message: "is empty"}}
	}
	return document.Zone, nil
}

func (s strategy) Place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	first := placement.Decision{}
	for _, c := range req.Candidates {
		if first.Config == "" || c.Name < first.Config {
			first.Config = c.Name
		}
	}
	switch s.mode {
	case "crash":
		os.Exit(5)
	case "panic":
		panic("out of\nideas")
	case "slow":
		<-time.After(time.Minute) // ignores ctx
	case "huge":
		first.Reason = strings.Repeat("x", 100<<10)
	case "longreason":
		return first, placement.Refusal{Reason: "not a reason!", Message: strings.Repeat("é", 10_000)}
	case "fickle":
		if len(req.Candidates) > 0 {
			first.Config = req.Candidates[int(asked.Add(1))%len(req.Candidates)].Name
		}
	case "zone":
		first.Config, _ = zone.Load().(string)
	case "unknown":
		first.Config = "no-such-cluster"
	case "flood":
		for i := range 100_000 {
			s.log.Info("flood", "line", i)
		}
	case "logs":
		s.log.Warn("a warning", "machine", req.Machine.String())
		fmt.Println("printed to stdout")
		fmt.Fprintln(os.Stderr, "printed to stderr")
	case "escapes":
		s.log.Warn("\x1b[2Jgone\r\nmsg", "strategy", "annotation", "logger", "host", "a\x1b[1mb", map[string]any{"c": "\x07"})
		fmt.Fprintln(os.Stderr, "\x1b]0;title\x07printed")
		return first, placement.Refusal{Reason: "Never", Message: escaped}
	case "escaped-reason":
		return placement.Decision{Config: first.Config, Reason: escaped}, nil
	case "escaped-error":
		return first, errors.New(escaped)
	case "error":
		return first, fmt.Errorf("first line\nsecond line")
	case "environment":
		first.Reason = environment()
	case "files":
		first.Reason = openFiles()
	case "child":
		child := exec.Command("/bin/sleep", "600")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return first, err
		}
		first.Reason = fmt.Sprint(child.Process.Pid)
	}
	return first, ctx.Err()
}

// escaped is a text that a terminal acts on, over two lines.
const escaped = "no \x1b[31mred\x1b[0m,\x1b]8;;http://evil\x1b\\ link\u202e,\x00 bell\x07 or C1 \u009b2J"

// environment lists the names of the variables.
func environment() string {
	var names []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	return strings.Join(names, ",")
}

// openFiles lists the open files.
func openFiles() string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err.Error()
	}
	var files []string
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			files = append(files, target)
		}
	}
	return strings.Join(files, ",")
}
