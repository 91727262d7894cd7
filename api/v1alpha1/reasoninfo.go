package v1alpha1

import "slices"

// Actor is who ends what a reason stands for.
type Actor string

// The actors. A reason of a condition that is True has none.
const (
	// ActorPerson: nothing changes until a person acts.
	ActorPerson Actor = "Person"
	// ActorCluster: a cluster or another operator is at work, and an event tells when it is done.
	ActorCluster Actor = "Cluster"
	// ActorTime: it passes by itself, or by trying again.
	ActorTime Actor = "Time"
)

// ReasonInfo is all that a reason means. There is one for each Reason constant of this package.
// Conditions, phases, Events and the tables of reasons in the documentation follow from it.
type ReasonInfo struct {
	// Reason is the constant.
	Reason string
	// Condition is the type of the Machine's condition that has this reason, "" where no Machine has
	// it.
	Condition string
	// ConfigConditions are the types of a KubevirtConfig's conditions that have this reason.
	ConfigConditions []string
	// MoveConditions are the types of conditions of a MachineMove or Evacuation that have this reason.
	MoveConditions []string
	// RolloutConditions are the types of conditions of a MachineRollout that have this reason.
	RolloutConditions []string
	// Good says that the condition is True.
	Good bool
	// Acts is who ends it, "" where Good.
	Acts Actor
	// Ordinary says that every Machine passes through it, or that a person asked for it. No Warning is
	// made of it.
	Ordinary bool
	// FailsUnplaced says that a Machine that has no virtual machine yet is in the phase Failed
	// meanwhile.
	FailsUnplaced bool
	// Harmless says that the condition Ready can be True all the same.
	Harmless bool
	// LosesContact says that a placed Machine with this reason has lost contact with its cluster:
	// the reason is told in RemoteReachable, and Ready is Unknown.
	LosesContact bool
	// MayPass says that it often ends within seconds although a person may have to act, as while a
	// credential is rotated. Like silence it is told only once it has lasted.
	MayPass bool
	// NoVerdict says that contact is still being made, so that whatever was told before stays told.
	NoVerdict bool
	// DoubtsLedger says that the ledger is not believed, so that it is not copied into the status.
	DoubtsLedger bool
	// Help is what to do about it, or what it waits for. "" where Good.
	Help string
}

// InfoOf returns what a reason means. Strategies may give reasons of their own, which are not
// found.
func InfoOf(reason string) (info ReasonInfo, found bool) {
	for _, rows := range reasonTables {
		for i := range rows {
			if rows[i].Reason == reason {
				return rows[i], true
			}
		}
	}
	return ReasonInfo{}, false
}

// ReasonInfos returns what each reason means, in the order of the constants. The caller may change
// the result.
func ReasonInfos() []ReasonInfo {
	var all []ReasonInfo
	for _, rows := range reasonTables {
		for _, row := range rows {
			row.ConfigConditions = slices.Clone(row.ConfigConditions)
			row.MoveConditions = slices.Clone(row.MoveConditions)
			row.RolloutConditions = slices.Clone(row.RolloutConditions)
			all = append(all, row)
		}
	}
	return all
}

// reasonTables are the rows, which stand beside their constants. They are never changed.
var reasonTables = [][]ReasonInfo{
	readyReasons, placedReasons, contactReasons, networkReasons, virtualMachineReasons, copiesReasons, configReasons,
	moveReasons, rolloutReasons, brakeReasons,
}
