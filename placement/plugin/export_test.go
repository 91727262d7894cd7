package plugin

import "strconv"

// PID is the process ID of a running plugin, 0 if it is not running.
func (h *Host) PID(name string) int {
	for _, s := range h.supervisors {
		if now := s.view(); s.entry.Name == name && now.instance != nil {
			pid, _ := strconv.Atoi(now.instance.process.ID())
			return pid
		}
	}
	return 0
}

// TempDirPath is the host's folder for sockets.
func (h *Host) TempDirPath() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locked.dir.path
}
