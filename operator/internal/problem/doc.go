// Package problem is the one vocabulary for what keeps a Machine from being what it should be.
// Every error that a step meets becomes one Problem with a condition, a reason, the server's own
// words and who must act, so that nothing fails in silence.
//
//	at := problem.At{Condition: ConditionVirtualMachineReady, Doing: "creating VirtualMachine vm-web"}
//	return problem.Remote(err, remote.Config, at)
package problem
