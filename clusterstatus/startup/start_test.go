package startup_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// getting is a reader on which reading one object fails.
func getting(name string, fault func(ctx context.Context) error) interceptor.Funcs {
	return interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object,
		options ...client.GetOption) error {
		if key.Name == name {
			return fault(ctx)
		}
		return c.Get(ctx, key, object, options...)
	}}
}

// listing is a reader on which listing KubeVirt fails.
func listing(fault func(ctx context.Context) error) interceptor.Funcs {
	return interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList,
		options ...client.ListOption) error {
		if _, isKubeVirt := list.(*kubevirtv1.KubeVirtList); isKubeVirt {
			return fault(ctx)
		}
		return c.List(ctx, list, options...)
	}}
}

func always(err error) func(context.Context) error { return func(context.Context) error { return err } }

// kubeVirt is one that runs, changed.
func kubeVirt(change func(*kubevirtv1.KubeVirt)) *kubevirtv1.KubeVirt {
	kv := deployed()
	change(kv)
	return kv
}

func unavailable(kv *kubevirtv1.KubeVirt) {
	kv.Status.Conditions = []kubevirtv1.KubeVirtCondition{
		{Type: kubevirtv1.KubeVirtConditionAvailable, Status: corev1.ConditionFalse, Reason: "ComponentsMissing"},
	}
}

// field changes one field of the status of VirtualMachineInstances; nil takes it away.
func field(name string, to *apiextensionsv1.JSONSchemaProps) func(crd *apiextensionsv1.CustomResourceDefinition) {
	return func(crd *apiextensionsv1.CustomResourceDefinition) {
		if crd.Name != "virtualmachineinstances.kubevirt.io" {
			return
		}
		properties := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties
		if to == nil {
			delete(properties, name)
			return
		}
		properties[name] = *to
	}
}

func clusterScoped(crd *apiextensionsv1.CustomResourceDefinition) {
	crd.Spec.Scope = apiextensionsv1.ClusterScoped
}

// troubled are clusters with a fault of their own each.
func troubled(t *testing.T) *clientmgr.MockClientManager {
	t.Helper()
	with := func(faults interceptor.Funcs, objects ...client.Object) client.Client {
		return cluster(t, faults, append(kubeVirtCRDs(t), objects...)...)
	}
	deploying := func(kv *kubevirtv1.KubeVirt) { kv.Status.Phase = kubevirtv1.KubeVirtPhaseDeploying }
	mock := managing(map[string]client.Client{
		"a-refused":   nil,
		"b-healthy":   healthy(t),
		"c-broke-off": healthy(t),
		"d-bare":      cluster(t, listing(always(errors.New("no matches for kind KubeVirt")))),
		"e-no-object": with(interceptor.Funcs{}),
		"f-deploying": with(interceptor.Funcs{}, kubeVirt(deploying)),
		"g-down":      with(interceptor.Funcs{}, kubeVirt(unavailable)),
		"h-unreadable": with(getting("virtualmachines.kubevirt.io", always(errors.New("https://10.0.0.1: no right"))),
			deployed()),
		"i-list-hangs":     with(listing(hang), deployed()),
		"j-older":          healthy(t, field("nodeName", nil)),
		"k-newer":          healthy(t, field("phase", &apiextensionsv1.JSONSchemaProps{Type: "integer"})),
		"l-cluster-scoped": healthy(t, clusterScoped),
	})
	mock.SetState(clientmgr.State{
		Config: "a-refused", Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonUnreachable,
		Message: "connection refused",
	})
	mock.LiveFunc = func(config string) (client.Reader, error) {
		if config == "c-broke-off" {
			return nil, &clientmgr.ConnectionError{Config: config, Reason: clientmgr.ErrNotConnected,
				Message: "the connection broke off"}
		}
		return mock.MockedClients[config], nil
	}
	return mock
}

// TestRun: the lines of a start, word for word.
func TestRun(t *testing.T) {
	seed := func(t *testing.T, replacements ...string) client.Client {
		return cluster(t, interceptor.Funcs{}, definitions(t, string(read(t, "testdata/seed-crds.yaml")), replacements...)...)
	}
	own := func(t *testing.T) client.Client { return cluster(t, interceptor.Funcs{}, ours(t)...) }
	onlyEast := func(t *testing.T) *clientmgr.MockClientManager {
		return managing(map[string]client.Client{"east": healthy(t)})
	}
	cases := map[string]struct {
		reason     string
		supervisor func(t *testing.T) client.Client
		remotes    func(t *testing.T) *clientmgr.MockClientManager
	}{
		"healthy": {
			reason:     "Our own definitions have all that is expected, and equal clusters agree.",
			supervisor: own,
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				return managing(map[string]client.Client{"west": healthy(t), "east": healthy(t)})
			},
		},
		"seed": {
			reason:     "Definitions of the specification's time lack the reference and nothing else.",
			supervisor: func(t *testing.T) client.Client { return seed(t) },
			remotes:    onlyEast,
		},
		"public": {
			reason: "The later names of fields are as good.",
			supervisor: func(t *testing.T) client.Client {
				return seed(t, "instanceType: ", "machineClass: ", "networks: ", "networkInterfaces: ")
			},
			remotes: onlyEast,
		},
		"empty": {
			reason:     "Where nothing is installed and nothing is configured, both are said.",
			supervisor: func(t *testing.T) client.Client { return cluster(t, interceptor.Funcs{}) },
			remotes:    func(*testing.T) *clientmgr.MockClientManager { return managing(nil) },
		},
		"supervisor-faults": {
			reason: "One definition that hangs leaves the checks of the others as they are.",
			supervisor: func(t *testing.T) client.Client {
				return cluster(t, getting("machines.vitistack.io", hang), definitions(t, string(read(t, "testdata/seed-crds.yaml")),
					"spec: {type: object, properties: {networks: {type: array, items: {type: object}}}}",
					"spec: {type: object, x-kubernetes-preserve-unknown-fields: true}",
					"name: {type: string}, kubeconfigSecretRef: {type: string}", "name: {type: string}",
				)...)
			},
			remotes: onlyEast,
		},
		"unserved": {
			reason:     "A version that is not served is said to be that.",
			supervisor: func(t *testing.T) client.Client { return seed(t, "served: true", "served: false") },
			remotes:    onlyEast,
		},
		"remote-faults": {
			reason:     "No cluster's fault touches another's lines, and silence is neither well nor missing.",
			supervisor: own,
			remotes:    troubled,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := starting(t, tc.supervisor(t), tc.remotes(t))
				s.settle()
				s.run()
				golden(t, name, s.journal.sorted())
				if took := time.Since(s.journal.start); took > 40*time.Second {
					t.Errorf("%s It took %v", tc.reason, took)
				}
			})
		})
	}
}

// settle lets the observer see each cluster once, so that each is compared with the first of them,
// and forgets what was told.
func (s *start) settle() {
	s.t.Helper()
	for name := range s.mock.MockedConfigs {
		s.reconcile(name)
		s.lines.Forget(name)
	}
	s.lines.Configs(s.t.Context(), -1)
	s.journal.take()
	s.observe(s.configs)         // by a new process
	time.Sleep(11 * time.Minute) // in a bubble: the next look is due
	s.journal.start = time.Now()
}

// TestHungClusterDelaysNoOther: nineteen clusters are reported at once, while one takes its whole
// time.
func TestHungClusterDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remotes := map[string]client.Client{}
		for i := range 20 {
			remotes[string(rune('a'+i))] = healthy(t)
		}
		remotes["k"] = cluster(t, listing(hang), kubeVirtCRDs(t)...)
		s := starting(t, cluster(t, interceptor.Funcs{}, ours(t)...), managing(remotes))
		s.run()
		want := []time.Duration{19: 0}
		want[19] = 5 * time.Second // the bound of a look
		if diff := cmp.Diff(want, s.journal.about("is connected")); diff != "" {
			t.Errorf("when the lines came: -want +got:\n%s", diff)
		}
	})
}

// TestFirstTransition: a line is told when a condition first is as it should be, and what comes
// after is no matter of a start.
func TestFirstTransition(t *testing.T) {
	mock := managing(map[string]client.Client{"west": nil})
	state := func(phase clientmgr.Phase, reason, message, uid string) {
		mock.SetState(clientmgr.State{
			Config: "west", Phase: phase, Reason: reason, Message: message, ClusterUID: uid, IdentityVerified: "True",
			RightsChecked: true,
		})
	}
	s := starting(t, cluster(t, interceptor.Funcs{}, ours(t)...), mock)
	follow := func(reason string, want ...string) {
		t.Helper()
		s.reconcile("west")
		if diff := cmp.Diff(want, s.journal.take()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
	const refused = `"level"=0 "msg"="⚠️ Remote cluster is not connected" "kubevirtConfig"="west" "reason"=`
	all := []string{
		`"level"=0 "msg"="✅ CRD matches the baseline" "kubevirtConfig"="west" "crd"="virtualmachineinstances.kubevirt.io" "baseline"="west"`,
		`"level"=0 "msg"="✅ CRD matches the baseline" "kubevirtConfig"="west" "crd"="virtualmachines.kubevirt.io" "baseline"="west"`,
		`"level"=0 "msg"="✅ KubeVirt is running" "kubevirtConfig"="west" "version"="v1.8.2"`,
		`"level"=0 "msg"="✅ Remote cluster is connected" "kubevirtConfig"="west"`,
	}
	state(clientmgr.Connecting, clientmgr.ReasonConnecting, "connecting", "")
	follow("There is no verdict yet, and the number of KubevirtConfigs is known.",
		`"level"=0 "msg"="✅ KubevirtConfigs are available" "count"=1`)
	state(clientmgr.Disconnected, clientmgr.ReasonUnreachable, "no answer in time", "")
	follow("A cluster that does not answer is told.", refused+`"no answer in time"`)
	follow("The same is not told again.")
	state(clientmgr.Disconnected, clientmgr.ReasonUnauthorized, "the token is not accepted", "")
	follow("Another reason is news while it was never well.", refused+`"the token is not accepted"`)
	mock.AddMockedClient("west", healthy(t))
	state(clientmgr.Connected, clientmgr.ReasonConnected, "connected", "uid-1")
	follow("It answers for the first time.", all...)
	follow("It answers as before.")
	state(clientmgr.Disconnected, clientmgr.ReasonUnreachable, "the watches broke off", "uid-1")
	follow("A cluster that goes away later is a matter of its conditions, not of the start.")
	state(clientmgr.Connected, clientmgr.ReasonConnected, "connected", "uid-1")
	follow("Nor is its return.")
	if err := s.configs.Delete(t.Context(), mock.MockedConfigs["west"].DeepCopy()); err != nil {
		t.Fatal(err)
	}
	const none = `"level"=0 "msg"="⚠️ No KubevirtConfigs are available" "reason"="create at least one: Machines cannot be placed"`
	follow("The last KubevirtConfig goes.", none)
	if got := verdicts(t, s.lines, "west", "connectivity"); len(got) != 0 {
		t.Errorf("The metric of a KubevirtConfig that is gone is %v", got)
	}
	again := mock.MockedConfigs["west"].DeepCopy()
	again.UID, again.ResourceVersion = "uid-of-another-west", ""
	if err := s.configs.Create(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	follow("A new object of the name is checked like a new one.",
		append(all[:3:3], `"level"=0 "msg"="✅ KubevirtConfigs are available" "count"=1`, all[3])...)
	if got := verdicts(t, s.lines, "west", "connectivity"); got["ok"] != 1 || got["warn"] != 0 {
		t.Errorf("The metric of the new one is %v", got)
	}
}

// TestRestart: what a former process left in the status is no finding of this start.
func TestRestart(t *testing.T) {
	mock := managing(map[string]client.Client{"east": healthy(t)})
	s := starting(t, cluster(t, interceptor.Funcs{}, ours(t)...), mock)
	s.reconcile("east")
	former := s.configs
	mock.SetState(clientmgr.State{Config: "east", Phase: clientmgr.Connecting, Reason: clientmgr.ReasonConnecting,
		Since: time.Now()})
	restarted := starting(t, cluster(t, interceptor.Funcs{}, ours(t)...), mock)
	restarted.observe(former)
	restarted.reconcile("east")
	if bad := restarted.journal.about("east"); len(bad) > 0 {
		t.Errorf("A connection is still being made, and the start says\n%s", strings.Join(restarted.journal.sorted(), "\n"))
	}
}

// TestStop: a process that ends is no fault of a cluster, whatever was under way.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := starting(t, cluster(t, getting("machines.vitistack.io", hang)), managing(nil))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.lines.Start(ctx) }()
		synctest.Wait()
		s.journal.take()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("A check that is cut off is no error of the manager's, got %v", err)
		}
		if took := time.Since(s.journal.start); took != 0 {
			t.Errorf("it took %v to stop", took)
		}
		if lines := s.journal.sorted(); len(lines) > 0 {
			t.Errorf("lines after the end:\n%s", strings.Join(lines, "\n"))
		}
		if s.lines.NeedLeaderElection() {
			t.Error("A replica that does not lead would check nothing.")
		}
	})
}
