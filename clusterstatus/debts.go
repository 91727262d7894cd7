package clusterstatus

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// debt is as much of an entry of the ConfigMap as matters here.
type debt struct {
	Ledger vitistackv1alpha1.Ledger `json:"ledger"`
}

// owed names the virtual machines that are owed to the cluster, as namespace/name, as the API
// server has them. An entry that cannot be read names no cluster, so that it holds none: it can
// never be paid.
func (p *pass) owed(ctx context.Context) ([]string, error) {
	namespace := p.options.ConfigsNamespace
	if namespace == "" {
		namespace = p.config.Namespace
	}
	if namespace == "" {
		return nil, nil
	}
	book := &corev1.ConfigMap{}
	err := p.options.Live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: vitistackv1alpha1.DebtsConfigMap}, book)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading what is owed to %s: %w", p.config.Name, err)
	}
	var names []string
	for _, entry := range book.Data {
		var each debt
		if err := json.Unmarshal([]byte(entry), &each); err != nil || each.Ledger.Config != p.config.Name {
			continue
		}
		names = append(names, each.Ledger.Namespace+"/"+each.Ledger.VMName)
	}
	return names, nil
}

// debtInterval is the time between two looks at what is owed. Nothing wakes a KubevirtConfig when
// its last debt is paid, and only one that is being deleted has somebody who waits for it.
func (p *pass) debtInterval() time.Duration {
	if p.config.DeletionTimestamp.IsZero() {
		return p.options.LookInterval
	}
	return min(p.options.LookInterval, lookAgain)
}
