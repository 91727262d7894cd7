package render

import (
	"context"
	"fmt"
	"io"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	crdrender "github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// definitions are the names of the definitions of what render makes.
var definitions = map[string]string{
	"VirtualMachine":              "virtualmachines.kubevirt.io",
	"NetworkAttachmentDefinition": "network-attachment-definitions.k8s.cni.cncf.io",
}

// answer is what a cluster's definition makes of one object.
type answer struct {
	cluster, object string
	missing         string // the definition that the cluster has not, "" where it has it
	findings        []crdcheck.Finding
}

// admitted reads a definition and judges an object by it.
func admitted(
	ctx context.Context, remote *reach.Cluster, cluster string, object *unstructured.Unstructured,
) (answer, error) {
	a := answer{cluster: cluster, object: object.GetKind() + " " + object.GetName()}
	name := definitions[object.GetKind()]
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := remote.Get(ctx, client.ObjectKey{Name: name}, crd)
	if apierrors.IsNotFound(err) {
		a.missing = name
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("reading the definition %s: %w", name, err)
	}
	definition, err := admit.Compile(crd)
	if err != nil {
		return a, fmt.Errorf("the definition %s cannot be used here: %w", name, err)
	}
	verdict, err := definition.Create(ctx, object.Object)
	if err != nil {
		return a, err
	}
	a.findings = verdict.Findings(cluster, name, object.GroupVersionKind().Version, a.object)
	return a, nil
}

// print says it, with a line for each finding.
func (a answer) print(out io.Writer) {
	switch a.code() {
	case exit.Fine:
		fmt.Fprintf(out, "%s %s: %s would accept it and keep all of it\n", crdrender.Good, a.object, a.cluster)
	case exit.Partial:
		fmt.Fprintf(out, "%s %s: %s would accept it, as far as its definition tells\n", crdrender.Good, a.object, a.cluster)
	default:
		fmt.Fprintf(out, "%s %s: %s would not take it as it is\n", crdrender.Warning, a.object, a.cluster)
	}
	if a.missing != "" {
		fmt.Fprintf(out, "   the cluster has no definition %s\n", a.missing)
	}
	for _, finding := range a.findings {
		fmt.Fprintf(out, "   %s\n", crdrender.Sentence(finding))
	}
}

func (a answer) code() int {
	code := exit.Fine
	if a.missing != "" {
		return exit.Negative
	}
	for _, finding := range a.findings {
		switch finding.Severity() {
		case crdcheck.Error, crdcheck.Warning:
			return exit.Negative
		case crdcheck.Unsettled:
			code = exit.Partial
		case crdcheck.Info:
		}
	}
	return code
}
