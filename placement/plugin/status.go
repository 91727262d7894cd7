package plugin

// A Status is what a host knows of one plugin.
type Status struct {
	Name string `json:"name"`
	// State is where the plugin is, Reason why it is not Ready.
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Version is the last one that the plugin gave.
	Version string `json:"version,omitempty"`
	// SHA256 is the pinned digest.
	SHA256 string `json:"sha256,omitempty"`
	// Socket is that of a side-car.
	Socket string `json:"socket,omitempty"`
	// Restarts counts the starts after the first.
	Restarts int `json:"restarts"`
	// Generation is that of the configuration that brought the plugin: 1, and one more with each
	// Update.
	Generation int64 `json:"generation"`
}

// Status returns the state of each current plugin, in the order of the entries.
func (h *Host) Status() []Status {
	members := h.now().members
	all := make([]Status, len(members))
	for i, m := range members {
		now := m.view()
		all[i] = Status{
			Name: m.entry.Name, State: now.state, Reason: now.reason,
			Version: now.version, SHA256: m.entry.SHA256, Socket: m.entry.Socket,
			Restarts: now.restarts, Generation: m.generation,
		}
	}
	return all
}
