// Program crdcheck tells whether what you write will be accepted, and kept, by that cluster. See
// `crdcheck --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	os.Exit(mainCode())
}

// enough is the memory from which on garbage is collected more often: definitions of 32 MB then need
// no more. It is a target and no limit: more definitions get more.
const enough = 224 << 20

func mainCode() int {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(enough)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}
