package kubevirt

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// logFile is the agent's log, which lies beside those of the cluster's programs.
type logFile struct {
	mu   sync.Mutex
	file *os.File
}

// openLog opens a log to write at its end.
func openLog(path string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of the agent: %w", err)
	}
	return &logFile{file: file}, nil
}

func (l *logFile) logger() logr.Logger {
	return funcr.New(func(_, line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.file != nil {
			fmt.Fprintln(l.file, time.Now().Format(time.RFC3339Nano), line)
		}
	}, funcr.Options{})
}

// close lets later lines go nowhere: the last goroutines of client-go may still write some.
func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}
