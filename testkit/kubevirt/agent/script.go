package agent

import (
	"strings"
	"time"
)

// Annotations by which a VirtualMachineInstance, its VirtualMachine or, for imports, a DataVolume
// asks for behaviour. What stands on the instance (which has its template's) goes before what
// stands on the VirtualMachine, and that before the Script.
const (
	// BootDelayAnnotation is how long a guest takes to boot: a duration, "2s".
	BootDelayAnnotation = "agent.testkit/boot-delay"
	// CrashAnnotation lets the guest crash: "once" (the first one of a VirtualMachine), "always", or
	// "boot" (each one, before it runs).
	CrashAnnotation = "agent.testkit/crash"
	// CrashAfterAnnotation is how long a guest runs before it crashes: a duration. Default: it crashes
	// as soon as it runs.
	CrashAfterAnnotation = "agent.testkit/crash-after"
	// ImagePullErrorAnnotation, "true", lets the node not get the launcher's image.
	ImagePullErrorAnnotation = "agent.testkit/image-pull-error"
	// UnschedulableAnnotation, "true", lets no node have room.
	UnschedulableAnnotation = "agent.testkit/unschedulable"
	// GuestAgentAnnotation, "false", lets the guest have no agent: nothing is known of its system, and
	// of its addresses only the Pod's.
	GuestAgentAnnotation = "agent.testkit/guest-agent"
	// GuestAddressesAnnotation lists what the guest's agent reports: "10.1.0.5,fd00::5" for the first
	// interface, or for any by its name, "storage=10.2.0.5,storage=fd00::6".
	GuestAddressesAnnotation = "agent.testkit/guest-addresses"
	// DualStackAnnotation, "true", gives the Pod network's interface an IPv6 address too.
	DualStackAnnotation = "agent.testkit/dual-stack"
	// HoldAnnotation, "true", keeps a guest from shutting down when it is told to.
	HoldAnnotation = "agent.testkit/hold"
	// ImportAnnotation, "fail" or "stall", lets an import fail or stand still once it is half done.
	ImportAnnotation = "agent.testkit/import"
	// ImportDurationAnnotation is how long an import takes: a duration. Its progress is reported in
	// ImportStepsAnnotation steps.
	ImportDurationAnnotation = "agent.testkit/import-duration"
	// ImportStepsAnnotation is a whole number from 1 to 100. Default: 4.
	ImportStepsAnnotation = "agent.testkit/import-steps"
)

// Script is how a cluster's guests and imports behave where their annotations say nothing. The zero
// Script: everything works at once.
type Script struct {
	Guest  Guest
	Import Import
}

// Crash says which of a VirtualMachine's guests crash.
type Crash string

const (
	// NoCrash lets no guest crash.
	NoCrash Crash = ""
	// CrashOnce lets the first guest crash that this agent sees of a VirtualMachine.
	CrashOnce Crash = "once"
	// CrashAlways lets each guest crash.
	CrashAlways Crash = "always"
	// CrashAtBoot lets each guest crash before it runs.
	CrashAtBoot Crash = "boot"
)

// Guest is how one guest behaves.
type Guest struct {
	// BootDelay is how long the guest takes to boot.
	BootDelay time.Duration
	// Crash says whether it crashes, and CrashAfter how long it runs before.
	Crash      Crash
	CrashAfter time.Duration
	// ImagePullError and Unschedulable keep its Pod from starting.
	ImagePullError, Unschedulable bool
	// NoGuestAgent takes away its agent.
	NoGuestAgent bool
	// Addresses are what its agent reports: "ADDRESS" for the first interface or "NAME=ADDRESS".
	// Default: the Pod's.
	Addresses []string
	// DualStack gives it an IPv6 address on the Pod network.
	DualStack bool
	// Hold keeps it from shutting down.
	Hold bool

	invalid error // an annotation that cannot be read; the guest does not boot
}

// ImportEnd is how an import ends.
type ImportEnd string

const (
	// ImportSucceeds lets the import end well.
	ImportSucceeds ImportEnd = ""
	// ImportFails lets it fail half way.
	ImportFails ImportEnd = "fail"
	// ImportStalls lets it stand still half way.
	ImportStalls ImportEnd = "stall"
)

// Import is how one import behaves.
type Import struct {
	// End is how it ends.
	End ImportEnd
	// Duration is how long it takes. Default: it is done at once.
	Duration time.Duration
	// Steps is in how many steps its progress is reported, 1 to 100. Default: 4.
	Steps int
}

// guest reads how a guest behaves from annotations, the first that has a key deciding.
func (s Script) guest(annotations ...map[string]string) Guest {
	g := s.Guest
	r := reader{annotations: annotations}
	r.duration(BootDelayAnnotation, &g.BootDelay)
	choice(&r, CrashAnnotation, &g.Crash, NoCrash, CrashOnce, CrashAlways, CrashAtBoot)
	r.duration(CrashAfterAnnotation, &g.CrashAfter)
	r.flag(ImagePullErrorAnnotation, &g.ImagePullError)
	r.flag(UnschedulableAnnotation, &g.Unschedulable)
	agent := !g.NoGuestAgent
	r.flag(GuestAgentAnnotation, &agent)
	g.NoGuestAgent = !agent
	r.addresses(GuestAddressesAnnotation, &g.Addresses)
	r.flag(DualStackAnnotation, &g.DualStack)
	r.flag(HoldAnnotation, &g.Hold)
	g.invalid = r.err
	return g
}

// imported reads how an import behaves.
func (s Script) imported(annotations ...map[string]string) (Import, error) {
	i := s.Import
	if i.Steps == 0 {
		i.Steps = 4
	}
	r := reader{annotations: annotations}
	choice(&r, ImportAnnotation, &i.End, ImportSucceeds, ImportFails, ImportStalls)
	r.duration(ImportDurationAnnotation, &i.Duration)
	r.number(ImportStepsAnnotation, &i.Steps, 1, 100)
	return i, r.err
}

// splitAddress parts "NAME=ADDRESS"; name is "" where there is none.
func splitAddress(entry string) (name, address string) {
	name, address, found := strings.Cut(entry, "=")
	if !found {
		return "", entry
	}
	return name, address
}
