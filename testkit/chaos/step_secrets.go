package chaos

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// secretKinds are what happens to the ways into the remotes.
func secretKinds() []kind {
	return []kind{
		{name: "rotate", weight: 2, cost: seconds(11), do: rotate, draw: func(d *draft) Step {
			return Step{Subject: d.remote(), Params: map[string]string{
				"what": of(d, string(fleet.RotateToken), string(fleet.RotateCert), string(fleet.RotateCA))}}
		}},
		{name: "break-secret", weight: 3, do: breakSecret, draw: func(d *draft) Step {
			return Step{Subject: d.remote(), Params: map[string]string{
				"how": of(d, "garbage", "empty", "gone"), "for": d.lasting(seconds(1), seconds(8))}}
		}},
		{name: "swap-secrets", weight: 2, do: swapSecrets, draw: func(d *draft) Step {
			two := d.others(2)
			return Step{Subject: two[0], Params: map[string]string{"other": two[1], "for": d.lasting(seconds(2), seconds(10))}}
		}},
		{name: "hide-identity", weight: 2, do: hideIdentity, draw: func(d *draft) Step {
			return Step{Subject: d.remote(), Params: map[string]string{"for": d.lasting(seconds(2), seconds(10))}}
		}},
	}
}

// rotate gives the operator another credential. Backups know the old one, which is refused from now
// on: they are void.
func rotate(ctx context.Context, w *world, step Step) error {
	cluster, err := w.fleet.Cluster(step.Subject)
	if err != nil {
		return err
	}
	if err := w.endSecret(ctx, step.Subject); err != nil {
		return err
	}
	delete(w.saved, step.Subject)
	delete(w.saved, fleet.Supervisor)
	err = cluster.Rotate(ctx, fleet.Rotation(step.Params["what"]))
	secret := w.secret(step.Subject) // also where revoking the old one failed: the new one is there
	if read := w.supervisor.Get(ctx, client.ObjectKeyFromObject(secret), secret); read == nil {
		w.kubeconfigs[step.Subject] = secret.Data[vitistackv1alpha1.KubeconfigSecretKey]
	} else if err == nil {
		err = fmt.Errorf("reading the new credential: %w", read)
	}
	return err
}

// endSecret ends what was done to Secrets, so that what is in them is right.
func (w *world) endSecret(ctx context.Context, _ string) error {
	return w.undos.finish(ctx, func(u undo) bool { return u.what == secretsSpoilt })
}

// secretsSpoilt is the name of what is done to Secrets: one thing at a time.
const secretsSpoilt = "what was done to Secrets"

func breakSecret(ctx context.Context, w *world, step Step) error {
	err := w.lasting(ctx, secretsSpoilt, step, func(ctx context.Context) error { return w.mendSecrets(ctx) })
	if err != nil {
		return err
	}
	switch step.Params["how"] {
	case "gone":
		return gone(ctx, w.supervisor, w.secret(step.Subject))
	case "empty":
		return w.write(ctx, step.Subject, nil)
	default:
		return w.write(ctx, step.Subject, []byte("no kubeconfig: \x00\x01"))
	}
}

// swapSecrets lets each of two KubevirtConfigs lead to the other one's cluster.
func swapSecrets(ctx context.Context, w *world, step Step) error {
	err := w.lasting(ctx, secretsSpoilt, step, func(ctx context.Context) error { return w.mendSecrets(ctx) })
	if err != nil {
		return err
	}
	other := step.Params["other"]
	if err := w.write(ctx, step.Subject, w.kubeconfigs[other]); err != nil {
		return err
	}
	return w.write(ctx, other, w.kubeconfigs[step.Subject])
}

// mendSecrets gives all Secrets what is right.
func (w *world) mendSecrets(ctx context.Context) error {
	for remote, kubeconfig := range w.kubeconfigs {
		if err := w.write(ctx, remote, kubeconfig); err != nil {
			return err
		}
	}
	return nil
}

// write puts a content into the Secret of a remote.
func (w *world) write(ctx context.Context, remote string, content []byte) error {
	secret := w.secret(remote)
	if err := isThere(w.supervisor.Create(ctx, secret.DeepCopy())); err != nil {
		return err
	}
	before := &corev1.Secret{}
	if err := w.supervisor.Get(ctx, client.ObjectKeyFromObject(secret), before); err != nil {
		return err
	}
	after := before.DeepCopy()
	after.Data = map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: content}
	return w.supervisor.Patch(ctx, after, client.MergeFrom(before))
}

// hideIdentity takes away the right to read the namespace kube-system of a remote.
func hideIdentity(ctx context.Context, w *world, step Step) error {
	remote, err := w.client(step.Subject)
	if err != nil {
		return err
	}
	if err := w.narrow(ctx, remote, []string{w.namespace}); err != nil {
		return err
	}
	return w.lasting(ctx, "hidden identity of "+step.Subject, step, func(ctx context.Context) error {
		return w.narrow(ctx, remote, nil)
	})
}

// narrow restricts reading namespaces to some; nil is all.
func (w *world) narrow(ctx context.Context, remote client.Client, names []string) error {
	role := &rbacv1.ClusterRole{}
	if err := remote.Get(ctx, client.ObjectKey{Name: "kubevirt-operator-remote"}, role); err != nil {
		return err
	}
	before := role.DeepCopy()
	var rules []rbacv1.PolicyRule
	for _, rule := range role.Rules {
		if len(rule.Resources) != 1 || rule.Resources[0] != "namespaces" {
			rules = append(rules, rule)
		}
	}
	group := []string{""}
	role.Rules = append(rules,
		rbacv1.PolicyRule{APIGroups: group, Resources: []string{"namespaces"}, Verbs: []string{"create"}},
		rbacv1.PolicyRule{APIGroups: group, Resources: []string{"namespaces"}, Verbs: []string{"get"}, ResourceNames: names})
	return remote.Patch(ctx, role, client.MergeFrom(before))
}
