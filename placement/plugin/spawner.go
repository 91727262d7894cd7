package plugin

import "runtime"

// A spawner starts processes on one thread of its own. The kernel's parent-death signal is bound to
// the thread that started a process, and Go's threads come and go.
type spawner struct {
	jobs chan spawnJob
	done chan struct{}
}

type spawnJob struct {
	start  func() error
	result chan<- error
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan spawnJob), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	for job := range s.jobs {
		job.result <- job.start()
	}
}

// spawn runs start on the thread. It must not be called after close.
func (s *spawner) spawn(start func() error) error {
	result := make(chan error, 1)
	s.jobs <- spawnJob{start: start, result: result}
	return <-result
}

// close ends the thread. All processes must have ended.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}
