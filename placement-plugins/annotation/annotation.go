// Package annotation is the strategy of explicit wishes: a Machine goes to the KubevirtConfig that
// its author names. It is the first strategy in docs/specification.md ("Automatic KubevirtConfig
// Assignment").
//
// The package is pure: no I/O, no clock, no log.
package annotation

import "github.com/vitistack/kubevirt-multicluster/placement"

// Strategy takes the cluster named by spec.kubevirtConfigRef or by the annotation
// vitistack.io/kubevirt-config. It is placement.Explicit under the name of its plugin.
type Strategy = placement.Explicit
