package fleet

import (
	"sync"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// outage keeps a cluster's proxy in step with its API server: while that is down the proxy refuses
// connections, as a dead server does, and the fault that was asked for waits. Its methods are safe
// for concurrent use.
type outage struct {
	proxy *faults.Proxy

	mu     sync.Mutex // one change of the proxy at a time
	down   bool
	wanted faults.Fault // what comes back when the outage ends
}

// set lets the proxy misbehave, at once or when the outage ends.
func (o *outage) set(fault faults.Fault) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return o.proxy.Set(fault)
	}
	fault, err := faults.ParseFault(fault.Spec(), string(fault.On))
	if err == nil {
		o.wanted = fault
	}
	return err
}

// fault returns what was asked for last.
func (o *outage) fault() faults.Fault {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return o.wanted
	}
	return o.proxy.Fault()
}

// begin lets the proxy refuse. In an outage it does nothing.
func (o *outage) begin() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return nil
	}
	o.down, o.wanted = true, o.proxy.Fault()
	return o.proxy.Set(faults.Fault{Kind: faults.Refuse})
}

// end brings back the fault that was asked for last. Without an outage it does nothing.
func (o *outage) end() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return nil
	}
	o.down = false
	return o.proxy.Set(o.wanted)
}
