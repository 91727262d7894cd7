// Command complaints reads pairs of definitions from standard input, a JSON list of objects with old
// and new, and writes what crdify says of each pair, as a list in the same order. It is a program of
// its own so that the race detector, which makes crdify ten times slower, watches our code alone.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/crdify/pkg/config"
	"sigs.k8s.io/crdify/pkg/runner"
)

func main() {
	if err := answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(in io.Reader, out io.Writer) error {
	var pairs []struct {
		Old, New *apiextensionsv1.CustomResourceDefinition
	}
	if err := json.NewDecoder(in).Decode(&pairs); err != nil {
		return err
	}
	results, errs := make([]*runner.Results, len(pairs)), make([]error, runtime.GOMAXPROCS(0))
	numbers := make(chan int)
	var working sync.WaitGroup
	for worker := range errs {
		working.Go(func() {
			crdify, err := runner.New(&config.Config{}, runner.DefaultRegistry())
			errs[worker] = err
			for i := range numbers {
				if err == nil {
					results[i] = crdify.Run(pairs[i].Old, pairs[i].New)
				}
			}
		})
	}
	for i := range pairs {
		numbers <- i
	}
	close(numbers)
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode(results)
}
