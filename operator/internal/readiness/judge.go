package readiness

import (
	"fmt"
	"strings"
	"time"
)

// The names of the checks, in the order in which a person would ask.
const (
	CheckConnection   = "connection"
	CheckDoor         = "admission"
	CheckName         = "name"
	CheckKubeVirt     = "kubevirt"
	CheckNamespace    = "namespace"
	CheckRights       = "rights"
	CheckDefinitions  = "definitions"
	CheckStorage      = "storage"
	CheckModes        = "disk-modes"
	CheckDisks        = "disks"
	CheckState        = "vm-state"
	CheckNetworks     = "networks"
	CheckObjects      = "objects"
	CheckInstancetype = "instancetype"
	CheckNodes        = "nodes"
	CheckRoom         = "room"
	CheckQuota        = "quota"
	CheckLimits       = "limits"
	CheckDryRun       = "dry-run"
)

// The reasons of checks that are not ok.
const (
	ReasonForbidden = "Forbidden" // the kubeconfig lacks a right
	ReasonSilent    = "Silent"    // the cluster did not answer in time
	ReasonNotAsked  = "NotAsked"  // nobody asked, or it could not be asked
	ReasonOld       = "Old"       // what is known is too old

	ReasonNotConnected    = "NotConnected"
	ReasonNotVerified     = "IdentityUnverified"
	ReasonPaused          = "Paused"
	ReasonTerminating     = "Terminating"
	ReasonNotAllowed      = "ClusterNotAllowed"
	ReasonNameTaken       = "NameTaken"
	ReasonKubeVirt        = "KubeVirtNotReady"
	ReasonKubeVirtOld     = "KubeVirtTooOld"
	ReasonGate            = "FeatureGateMissing"
	ReasonRights          = "RightsMissing"
	ReasonDefinition      = "DefinitionMissing"
	ReasonFields          = "FieldsNotKept"
	ReasonStorageClass    = "StorageClassMissing"
	ReasonModes           = "ModesNotOffered"
	ReasonDiskTaken       = "DiskTaken"
	ReasonNetwork         = "NetworkMissing"
	ReasonVLAN            = "VLANDiffers"
	ReasonObject          = "ObjectMissing"
	ReasonInstancetype    = "InstancetypeMissing"
	ReasonPreference      = "PreferenceMissing"
	ReasonNoNode          = "NoSuitableNode"
	ReasonNoRoom          = "NoRoom"
	ReasonQuota           = "QuotaExceeded"
	ReasonLimit           = "LimitExceeded"
	ReasonRefused         = "Refused"
	ReasonNamespaceAbsent = "NamespaceMissing"
)

// court is one case: what is needed, what is known, and when.
type court struct {
	needs Needs
	facts Facts
	now   time.Time
}

// Judge says whether what is needed can run in the cluster that the facts are about.
func Judge(needs Needs, facts Facts, now time.Time) Report {
	c := court{needs: needs, facts: facts, now: now}
	report := Report{Config: facts.Config, Here: c.here()}
	checks := []Check{c.connection(), c.door(), c.name()}
	if report.Here { // what it needs, it has
		checks = append(checks, c.kubevirt())
	} else {
		checks = append(checks, c.kubevirt(), c.namespace(), c.rights(), c.definitions(), c.storage(), c.modes(), c.disks(),
			c.state(), c.networks(), c.objects(), c.instancetype(), c.nodes(), c.room(), c.quota(), c.limits(), c.dryRun())
	}
	report.Score = c.score()
	return report.With(checks...)
}

// here reports whether the virtual machine is in this cluster already.
func (c court) here() bool {
	found := c.facts.Name.Value
	return c.facts.Name.missing(c.now) == nil && found != nil && found.Mine
}

// fine is a check that is ok; the message may be "".
func fine(name, format string, args ...any) Check {
	return Check{Name: name, Verdict: OK, Message: fmt.Sprintf(format, args...)}
}

// refused is a check that says no. do is what helps.
func refused(reason, do, format string, args ...any) Check {
	return Check{Verdict: No, Reason: reason, Message: fmt.Sprintf(format, args...), Do: do}
}

// by decides a check by one fact, and says unknown where that is not known.
func by[T any](c court, name string, fact Fact[T], decide func(T) Check) Check {
	if missing := fact.missing(c.now); missing != nil {
		check := c.unknown(name, *missing)
		check.Age = fact.age(c.now)
		return check
	}
	check := decide(fact.Value)
	check.Name = name
	check.Age = max(check.Age, fact.age(c.now))
	return check
}

// unknown says why a check has no answer, and what would give one.
func (c court) unknown(name string, why Missing) Check {
	check := Check{Name: name, Verdict: Unknown, Reason: why.Reason, Message: why.Message}
	switch why.Reason {
	case ReasonForbidden:
		check.Message = fmt.Sprintf("the kubeconfig of %s may not %s", c.facts.Config, why.Right)
		check.Do = "kubectl apply -k api/rbac/readiness, in " + c.facts.Config
	case ReasonSilent:
		check.Do = "kubectl machine cluster check " + c.facts.Config
	case ReasonOld:
		check.Do = "ask again"
	}
	return check
}

// list is "a, b and 3 more".
func list(all []string) string {
	const most = 4
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// mib is an amount of bytes as a person reads it.
func mib(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
