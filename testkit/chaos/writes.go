package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// writes follows the audit logs of all clusters for what the operator writes.
type writes struct{ logs []*os.File }

// followWrites begins at the end of the logs.
func followWrites(f *fleet.Fleet) (*writes, error) {
	w := &writes{}
	for _, c := range f.Clusters() {
		log, err := os.Open(c.ControlPlane.AuditLog())
		if err != nil {
			w.close()
			return nil, err
		}
		w.logs = append(w.logs, log)
		if _, err := log.Seek(0, io.SeekEnd); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

func (w *writes) close() {
	for _, log := range w.logs {
		_ = log.Close() // only read
	}
}

// look is how often the logs are looked at. It is short: the operator is to be hit before its next
// write.
const look = time.Millisecond

// wait waits until the operator has written so often.
func (w *writes) wait(ctx context.Context, number int) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for seen := 0; ; {
		for _, log := range w.logs {
			added, err := io.ReadAll(log)
			if err != nil {
				return err
			}
			seen += countWrites(added)
		}
		if seen >= number {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("the operator wrote %d times, not %d: %w", seen, number, errors.Join(ctx.Err()))
		}
	}
}

// countWrites counts the answers to the operator's writes in lines of an audit log, Events and leases
// apart. A line that was read in two halves may be missed: the next write counts instead.
func countWrites(lines []byte) int {
	count := 0
	for line := range bytes.Lines(lines) {
		has := func(part string) bool { return bytes.Contains(line, []byte(part)) }
		write := has(`"verb":"create"`) || has(`"verb":"patch"`) || has(`"verb":"update"`) || has(`"verb":"delete"`)
		if write && has(`"stage":"ResponseComplete"`) && has(`"username":"`+fleet.OperatorUser+`"`) &&
			!has(`"resource":"events"`) && !has(`"resource":"leases"`) {
			count++
		}
	}
	return count
}
