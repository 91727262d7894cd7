// Package ignore takes findings out of a report for which a person answers: each entry of an ignore
// file has an owner, a reason, and a last day.
//
//	ignores:
//	- rule: field-removed
//	  crd: virtualmachines.kubevirt.io
//	  path: spec.template...
//	  owner: team-virtualization@example.com
//	  expires: "2026-12-31"
//	  reason: the field was never set by us
//
// It is pure: the day is an argument.
package ignore
