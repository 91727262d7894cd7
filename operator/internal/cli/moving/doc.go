// Package moving is kubectl machine move, moves, drain, cordon and uncordon: taking Machines from one
// cluster to another.
//
// The commands write what a person would write with kubectl: a MachineMove, an Evacuation, or
// spec.paused of a KubevirtConfig. The operator does the work, and goes on with it when the command
// has ended.
package moving
