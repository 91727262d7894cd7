// Package report packs what somebody else needs to understand a fault into one file: the objects of
// both sides, Events, logs, metrics and versions.
//
//	root.AddCommand(report.Command())
//
// Begin with sources.go, the list of what is looked for; redact.go is what is taken out of it.
//
// # Guarantees
//
// Secrets are never packed. What is packed goes through Redact, whatever it is, and passes for
// public inside a company: no cloud-init, no keys, no tokens, no kubeconfigs, no passwords in
// addresses. What could not be read is in the file missing.txt of the bundle and on the screen; the
// rest is packed all the same.
package report
