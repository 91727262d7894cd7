package plugin

import "strconv"

// PID is the process ID of a running plugin, 0 if it is not running.
func (h *Host) PID(name string) int {
	for _, m := range h.now().members {
		now := m.view()
		if m.entry.Name != name || now.instance == nil {
			continue
		}
		if c, ok := now.instance.carrier.(*child); ok {
			pid, _ := strconv.Atoi(c.process.ID())
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
