package observer

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestRelists(t *testing.T) {
	secret := func(n *tale, seconds float64) {
		n.put(fleet.Supervisor, secrets, fleet.ConfigsNamespace, fleet.SecretName(east), "secret", seconds, nil)
	}
	reads := func(n *tale, verb, query string, seconds float64) {
		n.called(east, audit.Call{User: fleet.OperatorUser, Verb: verb, Resource: virtualMachines, Code: 200,
			URI: "/apis/kubevirt.io/v1/virtualmachines" + query, Received: at(seconds), Answered: at(seconds)})
	}
	broken := []string{"I6 secrets kubevirt-configs/cluster-east-kubeconfig"}
	judge(t, relists, map[string]situation{
		"watches go on": {
			reason: "a watch that resumes reads nothing twice",
			tell: func(n *tale) {
				secret(n, 0)
				secret(n, 100)
				reads(n, "watch", "?resourceVersion=1&watch=true", 101)
			},
			now: 200,
		},
		"everything is listed": {
			reason: "nothing but the credential has changed",
			tell:   func(n *tale) { secret(n, 0); secret(n, 100); reads(n, "list", "?limit=500", 101) },
			now:    200, want: broken,
		},
		"everything is listed by a watch": {
			reason: "a watch may begin with everything that there is",
			tell: func(n *tale) {
				secret(n, 0)
				secret(n, 100)
				reads(n, "watch", "?watch=true&sendInitialEvents=true", 101)
			},
			now: 200, want: broken,
		},
		"one Machine is looked for": {
			reason: "a look by the label of one Machine is no relist",
			tell: func(n *tale) {
				secret(n, 0)
				secret(n, 100)
				reads(n, "list", "?labelSelector=vitistack.io%2Fmachine-uid%3Dx", 101)
			},
			now: 200,
		},
		"the cluster was away before": {
			reason: "what broke then may have to be read again",
			tell: func(n *tale) {
				secret(n, 0)
				secret(n, 100)
				n.inTrouble(east, true, 70, 90)
				reads(n, "list", "", 101)
			},
			now: 200,
		},
		"the operator has started": {
			reason: "it knows nothing yet",
			tell: func(n *tale) {
				secret(n, 0)
				secret(n, 100)
				n.history.down = []span{{From: at(90), Until: at(95)}}
				reads(n, "list", "", 101)
			},
			now: 200,
		},
		"listed much later": {
			reason: "the rotation is long over",
			tell:   func(n *tale) { secret(n, 0); secret(n, 100); reads(n, "list", "", 150) },
			now:    200,
		},
	})
}
