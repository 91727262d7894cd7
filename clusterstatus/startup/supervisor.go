package startup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// supervisorName stands for the supervisor where a cluster needs a name; no KubevirtConfig takes
// part in the same report.
const supervisorName = "supervisor"

// AddToScheme registers the kind that the check of the supervisor reads. The scheme of the
// supervisor's reader needs it.
func AddToScheme(scheme *runtime.Scheme) error { return apiextensionsv1.AddToScheme(scheme) }

// Expected returns what the operator expects of the supervisor's CRDs: the specification's
// properties, under each name that they had in a release, and the status' copy of the reference,
// which is pruned without a word where the CRD lacks it.
func Expected() []crdcheck.Requirement {
	version := vitistackv1alpha1.SchemeGroupVersion.Version
	return []crdcheck.Requirement{
		{CRD: "machines.vitistack.io", Version: version, Fields: []crdcheck.Field{
			crdcheck.Reads("spec.instanceType", "spec.machineClass"),
			crdcheck.Reads("spec.kubevirtConfigRef"),
			crdcheck.Writes("status.kubevirtConfigRef"),
			crdcheck.Writes("status.phase"),
			crdcheck.Writes("status.conditions"),
		}},
		{CRD: "networkconfigurations.vitistack.io", Version: version, Fields: []crdcheck.Field{
			crdcheck.Writes("spec.networks", "spec.networkInterfaces"),
			crdcheck.Reads("status.phase"),
		}},
		{CRD: "kubevirtconfigs.vitistack.io", Version: version, Fields: []crdcheck.Field{
			crdcheck.Reads("spec.kubeconfigSecretRef"),
			crdcheck.Writes("status.phase"),
		}},
	}
}

// checkSupervisor checks each expected CRD on its own: that one cannot be read says nothing of the
// others.
func (l *Lines) checkSupervisor(parent context.Context) []Result {
	ctx, cancel := context.WithTimeout(parent, l.options.Timeout)
	defer cancel()
	expected := Expected()
	found := make([][]Result, len(expected))
	var reads sync.WaitGroup
	for i, requirement := range expected {
		reads.Go(func() {
			snapshot := readDefinition(ctx, l.supervisor, supervisorName, requirement.CRD)
			found[i] = l.say(parent, required(crdcheck.Require(snapshot, []crdcheck.Requirement{requirement}))...)
		})
	}
	reads.Wait()
	return slices.Concat(found...)
}

// readDefinition returns a snapshot of one CRD of a cluster.
func readDefinition(ctx context.Context, reader client.Reader, cluster, name string) crdcheck.Snapshot {
	var crd apiextensionsv1.CustomResourceDefinition
	err := reader.Get(ctx, client.ObjectKey{Name: name}, &crd)
	switch {
	case apierrors.IsNotFound(err):
		return crdcheck.Observed(cluster)
	case err != nil:
		return crdcheck.Unobserved(cluster, reasonOf(err))
	default:
		return crdcheck.Observed(cluster, crd)
	}
}

// required turns the answer to Require into results.
func required(report crdcheck.Report) []Result {
	var results []Result
	for _, subject := range report.Subjects {
		findings := report.About(subject)
		for _, f := range findings {
			results = append(results, Result{
				Check: SupervisorCRDs, Verdict: verdictOf(f), Message: messageOf(f), CRD: f.CRD, Version: subject.Version,
				Field: strings.ReplaceAll(f.Path, "|", " or "), Reason: detail(f),
			})
		}
		if len(findings) == 0 {
			results = append(results, Result{
				Check: SupervisorCRDs, Message: "CRD has every expected field", CRD: subject.CRD, Version: subject.Version,
			})
		}
	}
	return results
}

func verdictOf(f crdcheck.Finding) Verdict {
	switch f.Severity() {
	case crdcheck.Info:
		return OK
	case crdcheck.Unsettled:
		return Unknown
	default:
		return Warn
	}
}

func messageOf(f crdcheck.Finding) string {
	switch f.Rule {
	case crdcheck.RuleClusterUnknown:
		return "CRD could not be read"
	case crdcheck.RuleCRDMissing:
		return "CRD is missing"
	case crdcheck.RuleVersionNotServed:
		return "CRD version is not served"
	case crdcheck.RuleVersionDeprecated:
		return "CRD version is deprecated"
	case crdcheck.RuleFieldMissing:
		return "CRD field is missing"
	case crdcheck.RuleFieldUnchecked:
		return "CRD field cannot be checked"
	case crdcheck.RuleScopeDiffers:
		return "CRD scopes differ between remote clusters"
	case crdcheck.RuleVersionsDiffer:
		return "CRD versions differ between remote clusters"
	default:
		return "CRD schemas differ between remote clusters"
	}
}

// detail is what the message and the other values do not say.
func detail(f crdcheck.Finding) string {
	switch f.Rule {
	case crdcheck.RuleVersionNotServed, crdcheck.RuleScopeDiffers, crdcheck.RuleVersionsDiffer:
		return render.Sentence(f)
	default:
		return f.Why
	}
}

// reasonOf is an error in words that stay the same.
func reasonOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
