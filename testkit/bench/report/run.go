package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
)

// Run is what one run measured, and on what.
type Run struct {
	// Processors is how many the machine has, and Go the version that the programs are built with.
	Processors int    `json:"processors"`
	Go         string `json:"go"`
	// Rows are in the order in which they were measured.
	Rows []Row `json:"rows"`
}

// NewRun returns a run on this machine, without rows.
func NewRun() *Run { return &Run{Processors: runtime.NumCPU(), Go: runtime.Version()} }

// Text writes a line for each row.
func (r *Run) Text(out io.Writer) error {
	for _, row := range r.Rows {
		if _, err := fmt.Fprintln(out, row); err != nil {
			return err
		}
	}
	return nil
}

// JSON writes the run as one object.
func (r *Run) JSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Load returns the run that a file has.
func Load(file string) (*Run, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Run{}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Save writes the run into a file. Where the file has a run already, rows of the same names are
// replaced and the others stay: rows can be measured one by one.
func (r *Run) Save(file string) error {
	whole := *r
	former, err := Load(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err == nil {
		whole.Rows = former.Rows
		for _, row := range r.Rows {
			at := slices.IndexFunc(whole.Rows, func(other Row) bool { return other.Name == row.Name })
			if at < 0 {
				whole.Rows = append(whole.Rows, row)
				continue
			}
			whole.Rows[at] = row
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := whole.JSON(out); err != nil {
		return err
	}
	return out.Close()
}
