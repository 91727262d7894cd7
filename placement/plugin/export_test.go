package plugin

import (
	"context"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

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

// WireRequest is a request with all facts as it is sent.
func WireRequest(req placement.Request) ([]byte, error) {
	return proto.Marshal(encodeRequest(req, placement.Needs{Presence: true, Capacity: true, Ready: true}))
}

// Policies are the error policies of the current plugins, in their order.
func (h *Host) Policies() []placement.ErrorPolicy {
	var policies []placement.ErrorPolicy
	for _, m := range h.now().members {
		policies = append(policies, m.onError)
	}
	return policies
}

// StartOnce starts a plugin in the folder as a keeper does, and ends it again. It calls between
// once the file is checked and before it runs.
func StartOnce(ctx context.Context, options Options, folder string, between func()) error {
	options = options.withDefaults()
	program, err := verify(options, options.Entries[0])
	if err != nil {
		return err
	}
	defer program.close()
	between()
	thread := newSpawner()
	defer thread.close()
	running, err := launch{
		entry: options.Entries[0], executable: program, dir: folder, timeout: options.Limits.Start, spawn: thread.spawn,
		log: newHostLog(options.Logger, options),
	}.run(ctx)
	if err != nil {
		return err
	}
	running.carrier.stop()
	return nil
}
