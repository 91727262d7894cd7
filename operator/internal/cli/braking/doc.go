// Package braking is kubectl machine confirm and keep: what a person says to the brake, which holds
// deletions of many Machines, and changes that stop many guests.
//
// The commands write the annotations that a person would write with kubectl. The operator does the
// work.
package braking
