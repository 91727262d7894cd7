package main

import (
	"fmt"
	"strings"
)

// table is a page with all rows and pictures.
func table(r run) string {
	var page strings.Builder
	fmt.Fprintf(&page, "# What the operator costs\n\n"+
		"Measured by `make bench` on %d processors with %s, and written by `make pictures`. "+
		"[testkit](../../testkit/README.md#what-the-operator-costs)\nsays what each row is.\n\n", r.Processors, r.Go)
	page.WriteString("| row | value | bound | | what was measured |\n|---|---|---|---|---|\n")
	for _, each := range r.Rows {
		verdict := "MISS"
		if each.Pass {
			verdict = "PASS"
		}
		fmt.Fprintf(&page, "| `%s` | %.4g %s | %.4g %s | %s | %s |\n",
			each.Name, each.Value, each.Unit, each.Bound, each.Unit, verdict, each.Note)
	}
	for _, each := range pictures {
		if len(each.of(r.Rows)) > 0 {
			fmt.Fprintf(&page, "\n![%s](%s)\n", each.title, each.file)
		}
	}
	return page.String()
}
