package gobench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Source is where the benchmarks are.
type Source struct {
	// Dir is the folder of the repository.
	Dir string
	// Progress gets what they print. It must not be nil.
	Progress io.Writer
}

// Benchmark is what to run.
type Benchmark struct {
	// Package is its folder in the repository, Pattern what `go test -bench` takes.
	Package, Pattern string
	// Time is for -benchtime: "1x" is once.
	Time string
}

// Result has what one benchmark reported, by unit.
type Result map[string]float64

// Run runs benchmarks and returns their results by name, without the number of processors.
func (s Source) Run(ctx context.Context, b Benchmark) (map[string]Result, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-trimpath", "-run", "^$", "-bench", b.Pattern, "-benchtime", b.Time,
		"-timeout", "2h", "./"+b.Package)
	var out bytes.Buffer
	cmd.Dir, cmd.Env = s.Dir, append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, s.Progress), s.Progress
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", b.Pattern, b.Package, err)
	}
	return parse(out.String()), nil
}

// parse reads lines of the form "BenchmarkName-2 1 12 ns/op 3 KiB/pair".
func parse(out string) map[string]Result {
	results := map[string]Result{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		result := Result{}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				result[fields[i+1]] = value
			}
		}
		results[withoutProcessors(fields[0])] = result
	}
	return results
}

// withoutProcessors takes "-2" off a name.
func withoutProcessors(name string) string {
	at := strings.LastIndexByte(name, '-')
	if at < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[at+1:]); err != nil {
		return name
	}
	return name[:at]
}

// of returns what a benchmark reported in a unit.
func of(results map[string]Result, name, unit string) (float64, error) {
	value, found := results[name][unit]
	if !found {
		return 0, fmt.Errorf("%s reports no %s", name, unit)
	}
	return value, nil
}
