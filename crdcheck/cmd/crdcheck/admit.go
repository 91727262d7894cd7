package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

func admitCommand(s streams) *cobra.Command {
	var (
		o       options
		against []string
		live    string
	)
	cmd := &cobra.Command{
		Use:   "admit OBJECTS... --against PLACE",
		Short: "Would the cluster accept these objects, and keep all of them?",
		Args:  cobra.MinimumNArgs(1),
		Long: `Would the cluster accept these objects, and keep all of them?

The objects are custom resources in YAML or JSON files, or "-" for standard input. They are pruned, defaulted and
validated as the API server does it, with its own code, offline. Admission webhooks may refuse more: --live CONTEXT asks
that cluster itself, without keeping anything.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(against) == 0 && live == "" {
				return errors.New("--against or --live is needed: which definitions?")
			}
			objects, err := readObjects(s, files)
			if err != nil {
				return err
			}
			var report crdcheck.Report
			if len(against) > 0 {
				sets, err := o.read(cmd.Context(), s, o.crds, against...)
				if err != nil {
					return err
				}
				report, err = admitAll(cmd.Context(), sets, objects)
				if err != nil {
					return err
				}
			}
			if live != "" {
				asked, err := askLive(cmd.Context(), o.kubeconfig, live, objects)
				if err != nil {
					return err
				}
				report = crdcheck.NewReport(append(report.Subjects, asked.Subjects...), append(report.Findings, asked.Findings...))
			}
			return o.finish(s, render.Document{Question: "admit", Report: report})
		},
	}
	o.register(cmd)
	cmd.Flags().StringSliceVar(&against, "against", nil, "places with the definitions of the clusters")
	cmd.Flags().StringVar(&live, "live", "", "a context whose cluster is asked itself (dry run)")
	return cmd
}

// readObjects reads custom resources; definitions among them are passed over.
func readObjects(s streams, files []string) ([]unstructured.Unstructured, error) {
	var (
		all    []unstructured.Unstructured
		failed *multierror.Error
	)
	for _, name := range files {
		found, err := readObjectFile(s, name)
		if err != nil {
			failed = multierror.Append(failed, fmt.Errorf("%s: %w", name, err))
		}
		all = append(all, found...)
	}
	if len(all) == 0 && failed == nil {
		return nil, errors.New("no objects to look at")
	}
	return all, failed.ErrorOrNil()
}

func readObjectFile(s streams, name string) ([]unstructured.Unstructured, error) {
	stream := s.in
	if name != "-" {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		stream = bytes.NewReader(content)
	}
	var all []unstructured.Unstructured
	err := crdcheck.EachDocument(stream, func(document []byte, _ int) error {
		if len(bytes.TrimSpace(document)) == 0 {
			return nil
		}
		encoded, err := yaml.ToJSON(document)
		if err != nil || bytes.Equal(bytes.TrimSpace(encoded), []byte("null")) {
			return err
		}
		var u unstructured.Unstructured
		if err := u.UnmarshalJSON(encoded); err != nil { // whole numbers become int64, as the API server decodes them
			return err
		}
		if !u.IsList() {
			all = append(all, u)
			return nil
		}
		return u.EachListItem(func(item runtimeObject) error {
			if one, isObject := item.(*unstructured.Unstructured); isObject {
				all = append(all, *one)
			}
			return nil
		})
	})
	return all, err
}

// admitAll asks every set of definitions about every object.
func admitAll(ctx context.Context, sets []source.Set, objects []unstructured.Unstructured) (crdcheck.Report, error) {
	var (
		subjects []crdcheck.Subject
		found    []crdcheck.Finding
		cache    admit.Cache
	)
	for _, set := range sets {
		for i := range objects {
			subject, findings, err := admitOne(ctx, &cache, set, &objects[i])
			if err != nil {
				return crdcheck.Report{}, err
			}
			subjects, found = append(subjects, subject), append(found, findings...)
		}
	}
	return crdcheck.NewReport(subjects, found), nil
}

func admitOne(
	ctx context.Context, cache *admit.Cache, set source.Set, object *unstructured.Unstructured,
) (crdcheck.Subject, []crdcheck.Finding, error) {
	gvk := object.GroupVersionKind()
	subject := crdcheck.Subject{
		CRD:     gvk.Kind + "." + gvk.Group,
		Cluster: set.Name,
		Version: gvk.Version,
		Object:  nameOf(object),
	}
	one := func(rule crdcheck.RuleID, why string) (crdcheck.Subject, []crdcheck.Finding, error) {
		f := rule.Finding(crdcheck.Write)
		f.CRD, f.Cluster, f.Version, f.Object = subject.CRD, subject.Cluster, subject.Version, subject.Object
		if why != "" {
			f.Why = why
		}
		return subject, []crdcheck.Finding{f}, nil
	}
	if set.Unknown != "" {
		return one(crdcheck.RuleClusterUnknown, set.Unknown)
	}
	crd := definitionOf(set, gvk)
	if crd == nil {
		return one(crdcheck.RuleCRDMissing, "")
	}
	subject.CRD = crd.Name
	definition, err := cache.Compile(crd)
	if err != nil {
		return one(crdcheck.RuleObjectUnchecked, err.Error())
	}
	verdict, err := definition.Create(ctx, object.Object)
	switch {
	case ctx.Err() != nil:
		return subject, nil, ctx.Err()
	case errors.Is(err, admit.ErrNotServed):
		return subject, notServed(subject, *crd), nil
	case err != nil:
		verdict.Refused = []admit.Refusal{{Message: err.Error()}}
	}
	return subject, verdict.Findings(set.Name, crd.Name, gvk.Version, subject.Object), nil
}

// notServed are the findings of Require about the version of an object, so that both questions list
// the versions in the same words.
func notServed(subject crdcheck.Subject, crd apiextensionsv1.CustomResourceDefinition) []crdcheck.Finding {
	required := crdcheck.Requirement{CRD: subject.CRD, Version: subject.Version}
	found := crdcheck.Require(crdcheck.Observed(subject.Cluster, crd), []crdcheck.Requirement{required}).Findings
	for i := range found {
		found[i].Object, found[i].Direction = subject.Object, crdcheck.Write
	}
	return found
}

func nameOf(object *unstructured.Unstructured) string {
	name := object.GetKind() + " " + object.GetName()
	if object.GetNamespace() != "" {
		name = object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
	}
	return name
}

func definitionOf(set source.Set, gvk runtimeschema.GroupVersionKind) *apiextensionsv1.CustomResourceDefinition {
	for i := range set.CRDs {
		if crd := &set.CRDs[i]; crd.Spec.Group == gvk.Group && crd.Spec.Names.Kind == gvk.Kind {
			return crd
		}
	}
	return nil
}
