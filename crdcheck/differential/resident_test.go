package differential

import (
	"os"
	"runtime"
	"syscall"
)

// resident returns how many bytes of a program that ended were resident at most.
func resident(state *os.ProcessState) int64 {
	usage, is := state.SysUsage().(*syscall.Rusage)
	if !is {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}
