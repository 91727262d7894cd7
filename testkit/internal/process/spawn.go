package process

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner is the process's one forking thread. Pdeathsig fires when the *thread* that forked ends,
// and the Go runtime ends threads at will: so all children are forked on a thread that is locked to
// a goroutine for ever.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go Spawner(work)
	return work
})

// Spawner is the goroutine of the forking thread. It lives as long as the process; leak tests may
// leave it out by its name.
func Spawner(work <-chan func()) {
	runtime.LockOSThread()
	for f := range work {
		f()
	}
}

func forkOnLastingThread(cmd *exec.Cmd) error {
	result := make(chan error, 1)
	spawner() <- func() { result <- cmd.Start() }
	return <-result
}
