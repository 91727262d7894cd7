package v1alpha1_test

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestKubeconfigSecret(t *testing.T) {
	cases := map[string]struct {
		reason          string
		namespace       string
		secretNamespace string
		want            string
	}{
		"Beside": {
			reason:    "A namespaced KubevirtConfig has its Secret beside it.",
			namespace: "configs",
			want:      "configs/east",
		},
		"ClusterScoped": {
			reason:          "A cluster-scoped KubevirtConfig says where its Secret is.",
			secretNamespace: "secrets",
			want:            "secrets/east",
		},
		"Both": {
			reason:          "Where it says so the Secret is looked for there.",
			namespace:       "configs",
			secretNamespace: "secrets",
			want:            "secrets/east",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := &vitistackv1alpha1.KubevirtConfig{}
			config.Namespace, config.Spec.SecretNamespace, config.Spec.KubeconfigSecretRef = tc.namespace, tc.secretNamespace,
				"east"
			namespace, secret := config.KubeconfigSecret()
			if got := namespace + "/" + secret; got != tc.want {
				t.Errorf("%s Want %s, got %s", tc.reason, tc.want, got)
			}
		})
	}
}
