// Package rolling is kubectl machine rollout: restarting or resizing many Machines, a few at a time.
//
// The commands write what a person would write with kubectl: a MachineRollout. The operator does the
// work, and goes on with it when the command has ended.
package rolling
