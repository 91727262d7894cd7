package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// sets are the sets of manifests by the argument that asks for them.
var sets = map[string]func() ([]any, error){
	"crds":     definitions,
	"webhooks": webhooks,
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 || sets[args[0]] == nil {
		return fmt.Errorf("one argument is needed, crds or webhooks, not %q", strings.Join(args, " "))
	}
	objects, err := sets[args[0]]()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	for _, object := range objects {
		if err := writeDocument(buffered, object); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
