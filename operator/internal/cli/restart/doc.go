// Package restart is kubectl machine restart, pause-guest, resume-guest and resize: what a person wants of a guest.
//
// The commands write what a person would write with kubectl annotate: vitistack.io/restart,
// vitistack.io/pause-guest and vitistack.io/resize on the Machine. The operator does the work, and goes
// on with it when the command has ended.
package restart
