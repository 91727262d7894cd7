package clientmgr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestSecretIndex(t *testing.T) {
	secret := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "configs", Name: name} }
	users := func(names ...string) map[string]struct{} {
		set := map[string]struct{}{}
		for _, name := range names {
			set[name] = struct{}{}
		}
		return set
	}
	type step struct {
		config string
		secret types.NamespacedName
	}
	cases := map[string]struct {
		reason string
		steps  []step
		want   secretIndex
	}{
		"one": {"a Secret wakes its config", []step{{"east", secret("s")}}, secretIndex{secret("s"): users("east")}},
		"shared": {"and every other that uses it", []step{{"east", secret("s")}, {"west", secret("s")}},
			secretIndex{secret("s"): users("east", "west")}},
		"moved": {"the former Secret does not wake it any more", []step{{"east", secret("s")}, {"east", secret("t")}},
			secretIndex{secret("t"): users("east")}},
		"gone": {"a config that is gone leaves nothing behind",
			[]step{{"east", secret("s")}, {"east", types.NamespacedName{}}}, secretIndex{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := secretIndex{}
			for _, s := range tc.steps {
				got.set(s.config, s.secret)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
