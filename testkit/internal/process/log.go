package process

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
)

// tailBytes is how much of a log's end is looked at for its last line, which may carry a stack.
const tailBytes = 64 << 10

// lastLine returns the last non-empty line of a log, or a word on why there is none.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-tailBytes), io.SeekStart)
	}
	tail, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(tail), []byte("\n"))
	if last := lines[len(lines)-1]; len(last) > 0 {
		return message(last)
	}
	return "it wrote nothing"
}

// message returns what a structured line says, without where in the program it was said; other
// lines as they are.
func message(line []byte) string {
	var structured struct{ Msg, Error string }
	if json.Unmarshal(line, &structured) != nil || structured.Msg == "" {
		return string(line)
	}
	if structured.Error == "" {
		return structured.Msg
	}
	return structured.Msg + ": " + structured.Error
}
