package machine_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// secretName is the name of the cloud-init Secret that the Machine's VirtualMachine refers to, ""
// for none.
func (w *world) secretName() string {
	w.t.Helper()
	for _, volume := range w.vms()[east+"/vm-web"].Spec.Template.Spec.Volumes {
		if volume.CloudInitNoCloud != nil && volume.CloudInitNoCloud.UserDataSecretRef != nil {
			return volume.CloudInitNoCloud.UserDataSecretRef.Name
		}
	}
	return ""
}

// TestSecretsThatNoGuestGets: whoever may create Machines, and may read no Secret, reads none out
// of a guest that was not meant for one.
func TestSecretsThatNoGuestGets(t *testing.T) {
	config := func(change func(*vitistackv1alpha1.KubevirtConfig)) *vitistackv1alpha1.KubevirtConfig {
		c := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-north", Namespace: namespace}}
		c.Spec.KubeconfigSecretRef = "theirs"
		change(c)
		return c
	}
	user := func(i *vitistackv1alpha1.MachineCloudInit) {
		i.UserDataSecretRef = &vitistackv1alpha1.CloudInitSourceRef{Name: "theirs", Key: "key"}
	}
	network := func(i *vitistackv1alpha1.MachineCloudInit) {
		i.NetworkDataSecretRef = &vitistackv1alpha1.CloudInitSourceRef{Name: "theirs", Key: "key"}
	}
	cases := map[string]struct {
		reason  string
		config  *vitistackv1alpha1.KubevirtConfig
		source  func(*vitistackv1alpha1.MachineCloudInit)
		kind    corev1.SecretType
		allowed bool
	}{
		"Kubeconfig": {
			reason: "the kubeconfig of a cluster opens the virtual machines of all tenants",
			config: config(func(*vitistackv1alpha1.KubevirtConfig) {}), source: user,
		},
		"KubeconfigAsNetwork": {
			reason: "a kubeconfig as network data reaches the guest all the same",
			config: config(func(*vitistackv1alpha1.KubevirtConfig) {}), source: network,
		},
		"KubeconfigOfAClusterScopedConfig": {
			reason: "a cluster-scoped KubevirtConfig keeps its Secret in any namespace",
			config: config(func(c *vitistackv1alpha1.KubevirtConfig) {
				c.Namespace, c.Spec.SecretNamespace = "kubevirt-configs", namespace
			}), source: user,
		},
		"Token": {
			reason: "the token of a service account opens the supervisor",
			source: user, kind: corev1.SecretTypeServiceAccountToken,
		},
		"OtherNamespace": {
			reason: "a Secret that only shares its name with a kubeconfig of another namespace is the tenant's own",
			config: config(func(c *vitistackv1alpha1.KubevirtConfig) {
				c.Namespace = "kubevirt-configs"
			}), source: user, allowed: true,
		},
		"Own": {reason: "a Secret that was made for the guest is given to it", source: user, allowed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
				tc.source(m.Spec.CloudInit)
			}))
			s := secret(types.NamespacedName{Namespace: namespace, Name: "theirs"},
				map[string]string{"key": "#cloud-config\n# TOKEN\n"})
			s.Type = tc.kind
			w.put(supervisor, s)
			if tc.config != nil {
				w.put(supervisor, tc.config)
			}
			w.mustSettle()
			if tc.allowed != (w.where() != "") {
				t.Errorf("%s: the virtual machine is in %q, Ready is %s", tc.reason, w.where(), w.condition("Ready"))
			}
			if got := w.condition("Ready"); !tc.allowed && got != "False/SecretNotAllowed" {
				t.Errorf("%s: Ready is %s", tc.reason, got)
			}
			if strings.Contains(w.says("Ready"), "TOKEN") {
				t.Errorf("%s: the message has what is in the Secret", tc.reason)
			}
			secrets := &corev1.SecretList{}
			if err := w.clients[east].List(t.Context(), secrets); err != nil || !tc.allowed && len(secrets.Items) > 0 {
				t.Errorf("%s: %d Secrets are in the cluster (%v)", tc.reason, len(secrets.Items), err)
			}
		})
	}
}

// TestServersWordsRepeatNoSecret: a policy of a remote cluster that puts the Secret which it refuses
// into its message tells it to everybody who may read the Machine.
func TestServersWordsRepeatNoSecret(t *testing.T) {
	const userData = "#cloud-config\npassword: correct-horse-battery\n"
	for name, tc := range map[string]struct {
		reason, words string
		shown         bool
	}{
		"Text":   {reason: "the message has the document", words: "weak: " + userData},
		"Base64": {reason: "the message has the field as the API has it", words: base64.StdEncoding.EncodeToString([]byte(userData))},
		"Quota":  {reason: "a quota says what helps", words: "exceeded quota: few", shown: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
					UserDataSecretRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "init", Key: "key"},
				}
			}))
			w.put(supervisor, secret(types.NamespacedName{Namespace: namespace, Name: "init"}, map[string]string{"key": userData}))
			w.before = fail(call{east, "create", "Secret"},
				apierrors.NewForbidden(corev1.Resource("secrets"), "it", errors.New(tc.words)))
			for range 3 {
				if _, err := w.reconcile(); err != nil {
					t.Fatal(err)
				}
			}
			says := w.says("Ready")
			if w.condition("Ready") != "False/Rejected" || !strings.Contains(says, "creating Secret") {
				t.Fatalf("nothing was refused: %s: %s", w.condition("Ready"), says)
			}
			if strings.Contains(says, tc.words[:19]) != tc.shown {
				t.Errorf("%s: %s", tc.reason, says)
			}
			if strings.Contains(says, "audit log") == tc.shown {
				t.Errorf("nobody is told where the words are: %s", says)
			}
		})
	}
}

// TestClustersThatAreNotForEverybody: a cluster that takes Machines of some namespaces takes none of
// others, however they ask for it.
func TestClustersThatAreNotForEverybody(t *testing.T) {
	consent := annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))
	for name, tc := range map[string]struct {
		reason  string
		allowed string // the namespace that the cluster is for
		change  []func(*vitistackv1alpha1.Machine)
		config  string // the default
		found   *kubevirtv1.VirtualMachine
		want    string
	}{
		"Reference": {
			reason:  "a Machine that names the cluster",
			allowed: "team-b", change: []func(*vitistackv1alpha1.Machine){in(east)}, want: "False/ClusterNotAllowed",
		},
		"Field": {
			reason: "a Machine that names the cluster in its spec", allowed: "team-b",
			change: []func(*vitistackv1alpha1.Machine){func(m *vitistackv1alpha1.Machine) {
				m.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: east}
			}}, want: "False/ClusterNotAllowed",
		},
		"Default": {
			reason: "a Machine that names none, where the cluster is the default", allowed: "team-b", config: east,
			want: "False/ClusterNotAllowed",
		},
		"Consent": {
			reason: "a Machine that consents to taking over a virtual machine of nobody there", allowed: "team-b",
			change: []func(*vitistackv1alpha1.Machine){in(east), consent}, found: foundVM(), want: "False/ClusterNotAllowed",
		},
		"Allowed": {
			reason: "a Machine of the namespace", allowed: namespace,
			change: []func(*vitistackv1alpha1.Machine){in(east)}, want: "True/Placed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(tc.change...))
			config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: east}}
			config.Spec.AllowedNamespaces = &vitistackv1alpha1.AllowedNamespaces{Names: []string{tc.allowed}}
			w.manager.AddMockedConfig(config)
			if tc.found != nil {
				w.put(east, tc.found)
			}
			for range 3 {
				if _, err := w.reconcile(chain(), withDefault(tc.config)); err != nil {
					t.Fatal(err)
				}
			}
			made := len(w.vms())
			if tc.found != nil {
				made--
			}
			if got := w.condition("Placed"); got != tc.want || (made > 0) != (tc.allowed == namespace) {
				t.Errorf("%s: Placed is %s, and %d virtual machines were made: %s", tc.reason, got, made, w.says("Placed"))
			}
		})
	}
}
