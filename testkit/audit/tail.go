package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Tail reads an audit log that grows. It is not safe for concurrent use.
type Tail struct {
	path    string
	read    int64 // bytes of complete lines
	watches map[string]bool
}

// NewTail returns a Tail that begins at the log's first line. The file is opened by Next alone.
func NewTail(path string) *Tail { return &Tail{path: path, watches: map[string]bool{}} }

// Next returns the calls that were written since the last Next and that a filter takes, in the order
// of their answers. A line that is no event of an audit log is an error, and is read again the next
// time.
func (t *Tail) Next(filter Filter) ([]Call, error) {
	file, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(t.read, io.SeekStart); err != nil {
		return nil, err
	}
	var calls []Call
	read := t.read
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			t.read = read
			return calls, nil // what comes after the last line's end is not complete
		}
		if err != nil {
			return nil, err
		}
		call, isCall, err := parseLine(line, t.watches)
		if err != nil {
			return nil, fmt.Errorf("%s: after byte %d: %w", t.path, read, err)
		}
		if read += int64(len(line)); isCall && filter.Matches(call) {
			calls = append(calls, call)
		}
	}
}

// parseLine reads a line. A watch has a line when it begins and one when it ends, with the same
// AuditID: the first counts, and is noted in watches.
func parseLine(line []byte, watches map[string]bool) (call Call, isCall bool, err error) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return Call{}, false, err
	}
	if watches[e.AuditID] || e.Stage != "ResponseComplete" && e.Stage != "ResponseStarted" && e.Stage != "Panic" {
		return Call{}, false, nil
	}
	if e.Stage == "ResponseStarted" {
		watches[e.AuditID] = true
	}
	return e.call(), true, nil
}
