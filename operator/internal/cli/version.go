package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// version returns the version of the module that this program was built from, and of Go.
func version() string {
	own := ""
	if info, known := debug.ReadBuildInfo(); known {
		own = info.Main.Version
	}
	return cmp.Or(own, "(devel)") + " " + runtime.Version()
}
