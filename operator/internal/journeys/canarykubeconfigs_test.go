package journeys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// brokenKubeconfigs adds a KubevirtConfig for each way in which a kubeconfig is broken, with a canary at
// the place that an error would quote.
func (b *birds) brokenKubeconfigs() {
	whole := string(b.kubeconfig(east).Data[vitistackv1alpha1.KubeconfigSecretKey])
	token := string(b.flock["token of "+east])
	replaced := func(old, by string) string {
		if !strings.Contains(whole, old) {
			b.t.Fatalf("the kubeconfig has no %q", old)
		}
		return strings.Replace(whole, old, by, 1)
	}
	bird := func(what string) string { return b.plant("broken kubeconfig, " + what) }
	for name, content := range map[string]string{
		"yaml":     "apiVersion: v1\nkind: Config\nusers: [" + bird("YAML") + ": : {\n",
		"type":     "apiVersion: v1\nkind: Config\nusers: " + bird("type") + "\n",
		"user":     replaced("server: https://", "server: https://user:"+bird("address")+"@"),
		"port":     replaced("server: https://127.0.0.1:", "server: https://127.0.0.1:"+bird("port")),
		"proxy":    replaced("server: https://", "proxy-url: http://user:"+bird("proxy")+"@127.0.0.1:1\n    server: https://"),
		"exec":     replaced("token: "+token, "exec: {apiVersion: client.authentication.k8s.io/v1, command: "+bird("exec")+"}"),
		"provider": replaced("token: "+token, "auth-provider: {name: oidc, config: {id-token: "+bird("provider")+"}}"),
		"file":     replaced("token: "+token, "tokenFile: /run/"+bird("file")),
		"key": replaced("token: "+token, "client-certificate-data: "+bird("certificate")+"\n    client-key-data: "+
			bird("key")),
		"authority": replaced("certificate-authority-data: ", "certificate-authority-data: "+bird("authority")),
		"token":     replaced(token, bird("token that is refused")),
		"header":    replaced(token, `"`+bird("token with a line break")+`\nX: y"`),
	} {
		meta := metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "broken-" + name}
		for _, object := range []client.Object{
			&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: []byte(content)}},
			&vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta,
				Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: meta.Name, KubeconfigSecretRef: meta.Name}},
		} {
			b.create(object)
			b.t.Cleanup(func() { _ = world.supervisor.Delete(context.Background(), object) })
		}
	}
	eventually.Eventually(b.t, patience, "all are told", func(context.Context) error {
		configs := &vitistackv1alpha1.KubevirtConfigList{}
		if err := world.supervisor.List(b.t.Context(), configs, client.InNamespace(fleet.ConfigsNamespace)); err != nil {
			return err
		}
		for _, config := range configs.Items {
			connected := meta.FindStatusCondition(config.Status.Conditions, vitistackv1alpha1.ConditionConnected)
			if strings.HasPrefix(config.Name, "broken-") && (connected == nil || connected.Status != metav1.ConditionFalse ||
				connected.Message == "") {
				return fmt.Errorf("%s says %+v", config.Name, connected)
			}
		}
		return nil
	})
}

// rotatesToABrokenOne overwrites the kubeconfig that is in use with one that cannot be read, and puts the
// former one back when that is told.
func (b *birds) rotatesToABrokenOne() {
	b.t.Helper()
	secret := b.kubeconfig(east)
	former := secret.DeepCopy()
	broken := "users: [" + b.plant("rotation to a broken kubeconfig") + "\n"
	b.data(secret, broken)
	eventually.Eventually(b.t, patience, "the broken kubeconfig is told", func(context.Context) error {
		if status := fmt.Sprint(config(b.t, east).Status.Conditions); !strings.Contains(status, "YAML") {
			return errors.New(status)
		}
		return nil
	})
	b.data(b.kubeconfig(east), string(former.Data[vitistackv1alpha1.KubeconfigSecretKey]))
}

// data overwrites a kubeconfig.
func (b *birds) data(secret *corev1.Secret, kubeconfig string) {
	b.t.Helper()
	before := client.MergeFrom(secret.DeepCopy())
	secret.Data = map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: []byte(kubeconfig)}
	if err := world.supervisor.Patch(b.t.Context(), secret, before); err != nil {
		b.t.Fatal(err)
	}
}
