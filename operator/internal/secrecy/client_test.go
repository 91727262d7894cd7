package secrecy_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/secrecy"
)

const content = "#cloud-config\npassword: correct-horse-battery\n"

func newSecret(data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "vm-web-init"}, Data: data}
}

// TestClient: whatever verb a server refuses, its words are shown unless they repeat the Secret.
func TestClient(t *testing.T) {
	full := newSecret(map[string][]byte{"userdata": []byte(content)})
	echo := "denied: " + base64.StdEncoding.EncodeToString([]byte(content))
	cases := map[string]struct {
		reason string
		object client.Object
		says   string
		shown  bool
	}{
		"Echo":       {reason: "A policy repeats the Secret.", object: full, says: echo},
		"Plain":      {reason: "A policy repeats a line of it.", object: full, says: "weak: correct-horse-battery"},
		"Quota":      {reason: "A quota tells what helps.", object: full, says: "exceeded quota: few", shown: true},
		"Its name":   {reason: "The Secret's own name is no secret.", object: full, says: "vm-web-init in team-a: no", shown: true},
		"Unknown":    {reason: "Nobody knows what is in it, so that nothing can be compared.", object: newSecret(nil), says: echo},
		"ConfigMap":  {reason: "A ConfigMap has no secrets.", object: &corev1.ConfigMap{}, says: echo, shown: true},
		"StringData": {reason: "A Secret can be written as text.", object: &corev1.Secret{StringData: map[string]string{"a": content}}, says: echo},
	}
	verbs := map[string]func(client.Client, client.Object) error{
		"create": func(c client.Client, o client.Object) error { return c.Create(context.Background(), o) },
		"update": func(c client.Client, o client.Object) error { return c.Update(context.Background(), o) },
		"patch": func(c client.Client, o client.Object) error {
			return c.Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte("{}")))
		},
		"delete": func(c client.Client, o client.Object) error { return c.Delete(context.Background(), o) },
	}
	for name, tc := range cases {
		for verb, do := range verbs {
			t.Run(name+"/"+verb, func(t *testing.T) {
				err := do(secrecy.Client(refusing(tc.says)), tc.object.DeepCopyObject().(client.Object))
				if err == nil || strings.Contains(err.Error(), tc.says) != tc.shown {
					t.Errorf("%s Shown should be %t: %v", tc.reason, tc.shown, err)
				}
				if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "orbidden") {
					t.Errorf("%s The kind of the error is lost: %v", tc.reason, err)
				}
			})
		}
	}
	if err := secrecy.Client(fake.NewFakeClient()).Create(t.Context(), full); err != nil {
		t.Errorf("a call that is not refused fails: %v", err)
	}
}

// refusing is a cluster that refuses every write with these words.
func refusing(words string) client.Client {
	err := apierrors.NewForbidden(corev1.Resource("secrets"), "it", errors.New(words))
	return interceptor.NewClient(fake.NewFakeClient(), interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return err },
		Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return err },
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			return err
		},
		Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return err },
	})
}
