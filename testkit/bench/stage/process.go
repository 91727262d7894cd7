package stage

import "errors"

var errStopped = errors.New("the operator was stopped")

// PID is the operator's process id. The error says that it was stopped, or why it ended.
func (s *Stage) PID() (int, error) {
	if s.operator == nil {
		return 0, errStopped
	}
	return s.operator.PID(), s.operator.Exited()
}
