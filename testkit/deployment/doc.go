// Package deployment runs what the documents of deploy/ tell people to do. Its tests hold the
// manifests of deploy/ against real API servers; the operator itself has no part in them.
//
//	steps, err := deployment.Steps(handover) // the text of deploy/docs/handover.md
//	for _, step := range steps {
//		exec.Command("bash", "-euo", "pipefail", "-c", step.Script)
//	}
//
// Steps that need a running program say so in Step.Needs: a test that has the operator's binary
// runs those too.
package deployment
