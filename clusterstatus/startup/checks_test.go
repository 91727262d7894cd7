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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
)

// faults of a reader; "" as a name is any.
func getting(name string, fault func(ctx context.Context) error) interceptor.Funcs {
	return interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
		if name == "" || key.Name == name {
			return fault(ctx)
		}
		return c.Get(ctx, key, object, opts...)
	}}
}

func listing(fault func(ctx context.Context) error) interceptor.Funcs {
	return interceptor.Funcs{List: func(ctx context.Context, _ client.WithWatch, _ client.ObjectList, _ ...client.ListOption) error {
		return fault(ctx)
	}}
}

func always(err error) func(context.Context) error { return func(context.Context) error { return err } }

func TestRun(t *testing.T) {
	forbidden := apierrors.NewForbidden(apiextensionsv1.Resource("customresourcedefinitions"), "virtualmachines.kubevirt.io", errors.New("no right"))
	unserved := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "kubevirt.io", Kind: "KubeVirt"}, SearchedVersions: []string{"v1"}}
	kubeVirt := func(change func(*kubevirtv1.KubeVirt)) *kubevirtv1.KubeVirt {
		kv := deployed()
		change(kv)
		return kv
	}
	with := func(t *testing.T, faults interceptor.Funcs, objects ...client.Object) client.Client {
		return cluster(t, faults, append(kubeVirtCRDs(t), objects...)...)
	}
	cases := map[string]struct {
		reason     string
		supervisor func(t *testing.T) client.Client
		remotes    func(t *testing.T) *clientmgr.MockClientManager
		ok         bool
	}{
		"healthy": {
			reason:     "our own definitions have all that is expected, and equal clusters agree",
			supervisor: func(t *testing.T) client.Client { return cluster(t, interceptor.Funcs{}, ours(t)...) },
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				return managing(map[string]client.Client{"west": healthy(t, "of its instance", "of the instance"), "east": healthy(t)})
			},
			ok: true,
		},
		"seed": {
			reason: "definitions of seed.md's time lack the reference and nothing else",
			supervisor: func(t *testing.T) client.Client {
				return cluster(t, interceptor.Funcs{}, definitions(t, string(read(t, "testdata/seed-crds.yaml")))...)
			},
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				return managing(map[string]client.Client{"east": healthy(t)})
			},
		},
		"public": {
			reason: "the later names of fields are as good",
			supervisor: func(t *testing.T) client.Client {
				return cluster(t, interceptor.Funcs{}, definitions(t, string(read(t, "testdata/seed-crds.yaml")),
					"instanceType: ", "machineClass: ", "networks: ", "networkInterfaces: ")...)
			},
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				return managing(map[string]client.Client{"east": healthy(t)})
			},
		},
		"empty": {
			reason:     "nothing is installed and nothing is configured",
			supervisor: func(t *testing.T) client.Client { return cluster(t, interceptor.Funcs{}) },
			remotes:    func(*testing.T) *clientmgr.MockClientManager { return managing(nil) },
		},
		"supervisor-faults": {
			reason: "one definition that hangs, and configs that cannot be listed: the others are checked all the same",
			supervisor: func(t *testing.T) client.Client {
				return cluster(t, getting("machines.vitistack.io", hang), definitions(t, string(read(t, "testdata/seed-crds.yaml")),
					"spec: {type: object, properties: {networks: {type: array, items: {type: object}}}}", "spec: {type: object, x-kubernetes-preserve-unknown-fields: true}",
					"name: {type: string}, kubeconfigSecretRef: {type: string}", "name: {type: string}",
				)...)
			},
			remotes: func(*testing.T) *clientmgr.MockClientManager {
				mock := managing(map[string]client.Client{"east": nil})
				mock.ListConfigsError = &clientmgr.ConnectionError{Reason: clientmgr.ErrSupervisorNotSynced, Message: "the supervisor's caches have not synced yet"}
				return mock
			},
		},
		"unserved": {
			reason: "a version that is not served",
			supervisor: func(t *testing.T) client.Client {
				return cluster(t, interceptor.Funcs{}, definitions(t, string(read(t, "testdata/seed-crds.yaml")), "served: true", "served: false")...)
			},
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				return managing(map[string]client.Client{"east": healthy(t)})
			},
		},
		"remote-faults": {
			reason:     "each cluster with a fault of its own; none of them touches another, and silence is neither well nor missing",
			supervisor: func(t *testing.T) client.Client { return cluster(t, interceptor.Funcs{}, ours(t)...) },
			remotes: func(t *testing.T) *clientmgr.MockClientManager {
				mock := managing(map[string]client.Client{
					"a-refused":    nil,
					"b-hung":       healthy(t),
					"c-broke-off":  healthy(t),
					"d-healthy":    healthy(t),
					"e-bare":       cluster(t, listing(always(unserved))),
					"f-no-object":  with(t, interceptor.Funcs{}),
					"g-deploying":  with(t, interceptor.Funcs{}, kubeVirt(func(kv *kubevirtv1.KubeVirt) { kv.Status.Phase = kubevirtv1.KubeVirtPhaseDeploying })),
					"h-down":       with(t, interceptor.Funcs{}, kubeVirt(unavailable)),
					"i-leaving":    with(t, interceptor.Funcs{}, kubeVirt(func(kv *kubevirtv1.KubeVirt) { kv.Finalizers = []string{"x/y"} })),
					"j-forbidden":  with(t, getting("virtualmachines.kubevirt.io", always(forbidden)), deployed()),
					"k-list-hangs": with(t, listing(hang), deployed()),
					"l-list-fails": with(t, listing(always(unserved)), deployed()),
					"m-second": with(t, interceptor.Funcs{}, deployed(), kubeVirt(func(kv *kubevirtv1.KubeVirt) {
						kv.Name, kv.Status.Phase = "a-first", kubevirtv1.KubeVirtPhaseDeleted
					})),
					"n-newer": healthy(t, "VSOCKCID: {type: integer, format: int32}", "VSOCKCID: {type: integer, format: int64}, extra: {type: string}",
						"runStrategy: {type: string}", "a: {type: string}, b: {type: string}, c: {type: string}, d: {type: string}, e: {type: string}",
						"storedVersions: [v1]", "storedVersions: [v1alpha3, v1]"),
					"o-cluster-scoped": healthy(t, "scope: Namespaced", "scope: Cluster"),
				})
				leaving := &kubevirtv1.KubeVirt{}
				remote := mock.MockedClients["i-leaving"]
				if err := errors.Join(remote.Get(t.Context(), client.ObjectKeyFromObject(deployed()), leaving), remote.Delete(t.Context(), leaving)); err != nil {
					t.Fatal(err)
				}
				refused := &clientmgr.ConnectionError{Config: "a-refused", Reason: clientmgr.ErrNotConnected, Message: "KubevirtConfig a-refused: connection refused"}
				mock.ValidateConnectionFunc = func(ctx context.Context, config string) error {
					switch config {
					case "a-refused":
						return refused
					case "b-hung":
						return hang(ctx)
					default:
						return nil
					}
				}
				mock.LiveFunc = func(config string) (client.Reader, error) {
					if config == "c-broke-off" {
						return nil, &clientmgr.ConnectionError{Config: config, Reason: clientmgr.ErrNotConnected, Message: "KubevirtConfig c-broke-off: the connection broke off"}
					}
					return mock.MockedClients[config], nil
				}
				return mock
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := newJournal()
				report := startup.New(tc.supervisor(t), tc.remotes(t), startup.Options{Logger: log.logger()}).Run(t.Context())
				lines := log.sorted()
				golden(t, name, lines)
				if report.OK() != tc.ok {
					t.Errorf("%s: OK() is %t", tc.reason, report.OK())
				}
				good := 0
				for _, result := range report.Results {
					if result.Verdict == startup.OK {
						good++
					}
				}
				text := strings.Join(lines, "\n")
				want := []int{len(lines), strings.Count(text, "✅ "), strings.Count(text, "⚠️ ")}
				if diff := cmp.Diff(want, []int{len(report.Results), good, len(report.Results) - good}); diff != "" {
					t.Errorf("the log and the report differ in results, good ones, bad ones: -log +report:\n%s", diff)
				}
				if took := time.Since(log.start); took > 30*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func unavailable(kv *kubevirtv1.KubeVirt) {
	kv.Status.Conditions = []kubevirtv1.KubeVirtCondition{
		{Type: kubevirtv1.KubeVirtConditionAvailable, Status: corev1.ConditionFalse, Reason: "ComponentsMissing"},
	}
}

// TestHungClusterDelaysNoOther: nineteen clusters are reported at once, while one takes its whole time.
func TestHungClusterDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remotes := map[string]client.Client{}
		for i := range 20 {
			remotes[string(rune('a'+i))] = healthy(t)
		}
		mock := managing(remotes)
		mock.ValidateConnectionFunc = func(ctx context.Context, config string) error {
			if config == "k" {
				return hang(ctx)
			}
			return nil
		}
		log := newJournal()
		startup.New(cluster(t, getting("", hang)), mock, startup.Options{Logger: log.logger(), Timeout: 10 * time.Second}).Run(t.Context())
		want := map[string][]time.Duration{
			"is connected": make([]time.Duration, 19), "is running": make([]time.Duration, 19),
			"Remote cluster is not connected": {10 * time.Second}, "CRD could not be read": repeat(10*time.Second, 3+2), "matches": repeat(10*time.Second, 2*19),
		}
		got := map[string][]time.Duration{}
		for text := range want {
			got[text] = log.about(text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("when the lines came: -want +got:\n%s", diff)
		}
	})
}

func repeat(value time.Duration, times int) []time.Duration {
	all := make([]time.Duration, times)
	for i := range all {
		all[i] = value
	}
	return all
}

// TestPatience: caches that fill and clusters that connect a little later are no faults.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := managing(map[string]client.Client{"east": healthy(t)})
		configs, err := mock.ListKubevirtConfigs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begin, notYet := time.Now(), errors.New("not yet")
		mock.ListKubevirtConfigsFunc = func(context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
			if time.Since(begin) < 20*time.Second {
				return nil, notYet
			}
			return configs, nil
		}
		mock.ValidateConnectionFunc = func(context.Context, string) error {
			if time.Since(begin) < 45*time.Second {
				return notYet
			}
			return nil
		}
		log := newJournal()
		report := startup.New(cluster(t, interceptor.Funcs{}, ours(t)...), mock, startup.Options{Logger: log.logger()}).Run(t.Context())
		if !report.OK() {
			t.Errorf("want all well, got\n%s", strings.Join(log.sorted(), "\n"))
		}
		if diff := cmp.Diff([]time.Duration{45 * time.Second}, log.about("is connected")); diff != "" {
			t.Errorf("connected: -want +got:\n%s", diff)
		}
	})
}

// TestElected: a replica that does not lead checks the supervisor at once, and the remote clusters when it begins to lead.
func TestElected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elected := make(chan struct{})
		log := newJournal()
		checks := startup.New(cluster(t, interceptor.Funcs{}, ours(t)...), managing(map[string]client.Client{"east": healthy(t)}),
			startup.Options{Elected: elected, Logger: log.logger()})
		if checks.NeedLeaderElection() {
			t.Error("a replica that does not lead would check nothing")
		}
		ended := make(chan error)
		go func() { ended <- checks.Start(t.Context()) }()
		synctest.Wait()
		before := len(log.sorted())
		close(elected)
		if err := <-ended; err != nil {
			t.Errorf("want no error, got %v", err)
		}
		if diff := cmp.Diff([]int{3, 8}, []int{before, len(log.sorted())}); diff != "" {
			t.Errorf("lines before and after: -want +got:\n%s", diff)
		}
	})
}

// TestStop: a process that ends is no fault of a cluster, whatever was under way.
func TestStop(t *testing.T) {
	cases := map[string]struct {
		reason  string
		elected bool
		mock    func(mock *clientmgr.MockClientManager)
	}{
		"NeverElected": {"a standby waits for ever", false, func(*clientmgr.MockClientManager) {}},
		"Listing": {"the caches never fill", true, func(mock *clientmgr.MockClientManager) {
			mock.ListKubevirtConfigsFunc = func(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) { return nil, hang(ctx) }
		}},
		"Connecting": {"the cluster never answers", true, func(mock *clientmgr.MockClientManager) {
			mock.ValidateConnectionFunc = func(ctx context.Context, _ string) error { return hang(ctx) }
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := managing(map[string]client.Client{"east": healthy(t)})
				tc.mock(mock)
				log := newJournal()
				options := startup.Options{Logger: log.logger()}
				if !tc.elected {
					options.Elected = make(chan struct{})
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- startup.New(cluster(t, getting("", hang)), mock, options).Start(ctx) }()
				synctest.Wait()
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("%s: want no error, got %v", tc.reason, err)
				}
				if took := time.Since(log.start); took != 0 {
					t.Errorf("%s: it took %v to stop", tc.reason, took)
				}
				if bad := log.about("⚠️"); len(bad) > 0 {
					t.Errorf("%s: warnings:\n%s", tc.reason, strings.Join(log.sorted(), "\n"))
				}
			})
		})
	}
}
