package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// dropped writes a warning for each key of a definition in a file that the API server does not know:
// who misspelt it believes in a check that is not there. With --strict they are the error. names are
// the definitions that are looked at, nil for all.
func (o *options) dropped(s streams, sets []source.Set, names []string) error {
	var failed *multierror.Error
	for _, set := range sets {
		for _, key := range set.Dropped {
			if names != nil && !slices.Contains(names, key.CRD) {
				continue
			}
			text := fmt.Sprintf("%s%s:%d: the API server does not know %s of %s and drops it",
				commitOf(set), key.At.File, key.At.Line, key.Key, key.CRD)
			switch {
			case o.strict:
				failed = multierror.Append(failed, fmt.Errorf("%s", text))
			case !o.quiet:
				fmt.Fprintln(s.err, "crdcheck: warning:", text)
			}
		}
	}
	return failed.ErrorOrNil()
}

// commitOf names the commit that a set was read from, "" for other places: the file on disk may be
// another.
func commitOf(set source.Set) string {
	rest, isCommit := strings.CutPrefix(set.Name, "git:")
	if !isCommit {
		return ""
	}
	ref, _, _ := strings.Cut(rest, ":")
	return "git:" + ref + ": "
}
