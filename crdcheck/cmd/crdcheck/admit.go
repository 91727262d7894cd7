package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

func admitCommand(s streams) *cobra.Command {
	var (
		o       options
		against []string
		live    string
		free    string
	)
	cmd := &cobra.Command{
		Use:   "admit OBJECTS... --against PLACE",
		Short: "Would the cluster accept these objects, and keep all of them?",
		Args:  cobra.MinimumNArgs(1),
		Long: `Would the cluster accept these objects, and keep all of them?

The objects are custom resources in YAML or JSON: files, folders (every .yaml, .yml and .json below them), or "-" for
standard input. They are pruned, defaulted and validated as the API server does it, with its own code, offline. Kinds
that Kubernetes has itself, and files of a folder that are no objects, are passed over and counted. Admission webhooks
may refuse more: --live CONTEXT asks that cluster itself, about all kinds, without keeping anything.`,
		RunE: func(cmd *cobra.Command, places []string) error {
			if len(against) == 0 && live == "" {
				return errors.New("--against or --live is needed: which definitions?")
			}
			streamed := func(place string) bool { return place == "-" }
			all := slices.Concat(places, against)
			if first := slices.IndexFunc(all, streamed); first >= 0 && slices.ContainsFunc(all[first+1:], streamed) {
				return errors.New("standard input can be read only once")
			}
			objects, failed := readObjects(s, places)
			document, err := o.admit(cmd.Context(), s, objects, against, live)
			if err != nil {
				return multierror.Append(nil, slices.Concat(several.Errors(failed), several.Errors(err))...)
			}
			if len(document.Report.Subjects) == 0 {
				return cmp.Or(failed, nothing(document))
			}
			if cmd.Flags().Changed(freeForm) {
				if strings.TrimSpace(free) == "" {
					return fmt.Errorf("--%s wants the reason why such fields need not be looked at", freeForm)
				}
				allowFreeForm(&document, free)
			}
			err = o.finish(s, document)
			return cmp.Or(failed, err)
		},
	}
	o.register(cmd)
	cmd.Flags().StringSliceVar(&against, "against", nil, "places with the definitions of the clusters")
	cmd.Flags().StringVar(&live, "live", "", "a context whose cluster is asked itself (dry run)")
	cmd.Flags().StringVar(&free, freeForm, "", "pass over fields whose schema takes anything, for this reason")
	return cmd
}

const freeForm = "free-form"

// allowFreeForm passes over the fields that no schema looks at. What only a webhook knows stays
// unknown.
func allowFreeForm(d *render.Document, reason string) {
	var fields []string
	d.Report = d.Report.Without(func(f crdcheck.Finding) bool {
		free := f.Rule == crdcheck.RuleObjectUnchecked && f.Path != ""
		if free {
			fields = append(fields, f.Path)
		}
		return free
	})
	for _, counted := range count(fields, "field", "whose schema takes anything") {
		d.PassedOver = append(d.PassedOver, counted+": "+reason)
	}
}

// nothing is the error where there is no object to ask about.
func nothing(d render.Document) error {
	text := "no objects to look at"
	for _, what := range d.PassedOver {
		text += "; passed over: " + what
	}
	return errors.New(text)
}

// admit asks definitions, and a cluster itself, about objects.
func (o *options) admit(
	ctx context.Context, s streams, objects *objectReader, against []string, live string,
) (render.Document, error) {
	d := render.Document{Question: "admit", At: map[render.Place]render.Position{}, PassedOver: objects.passed()}
	if len(against) > 0 {
		sets, err := o.read(ctx, s, o.crds, against...)
		if err != nil {
			return d, err
		}
		if err := o.dropped(s, sets, o.crds); err != nil {
			return d, err
		}
		custom, passed := objects.custom(sets)
		d.PassedOver = passed
		if err := checkDefinitions(ctx, sets, custom); err != nil {
			return d, err
		}
		if err := admitAll(ctx, &d, sets, custom); err != nil {
			return d, err
		}
	}
	if live != "" {
		if err := askLive(ctx, &d, o.kubeconfig, live, objects.found); err != nil {
			return d, err
		}
	}
	d.Report = crdcheck.NewReport(d.Report.Subjects, d.Report.Findings)
	return d, nil
}

// checkDefinitions returns why the API server would not take the definitions of the objects'
// kinds. A definition that a cluster has was taken already.
func checkDefinitions(ctx context.Context, sets []source.Set, objects []object) error {
	var failed *multierror.Error
	for _, set := range sets {
		checked := map[string]bool{}
		for i := range objects {
			crd := definitionOf(set, objects[i].GroupVersionKind())
			if crd == nil || checked[crd.Name] {
				continue
			}
			checked[crd.Name] = true
			at, isFile := set.At[crd.Name]
			if !isFile {
				continue
			}
			for _, reason := range several.Errors(valid.Definition(ctx, crd)) {
				failed = multierror.Append(failed, fmt.Errorf("%s:%d: %w", at.File, at.Line, reason))
			}
		}
	}
	return failed.ErrorOrNil()
}

// admitAll asks every set of definitions about every object.
func admitAll(ctx context.Context, d *render.Document, sets []source.Set, objects []object) error {
	var cache admit.Cache
	for _, set := range sets {
		for i := range objects {
			subject, findings, err := admitOne(ctx, &cache, set, &objects[i])
			if err != nil {
				return err
			}
			tell(d, subject, objects[i].at, findings)
		}
	}
	return nil
}

// tell adds what was found about one object to a document.
func tell(d *render.Document, subject crdcheck.Subject, at render.Position, findings []crdcheck.Finding) {
	d.Report.Subjects = append(d.Report.Subjects, subject)
	d.Report.Findings = append(d.Report.Findings, findings...)
	d.At[render.PlaceOf(subject)] = at
}

func admitOne(
	ctx context.Context, cache *admit.Cache, set source.Set, o *object,
) (crdcheck.Subject, []crdcheck.Finding, error) {
	gvk := o.GroupVersionKind()
	subject := crdcheck.Subject{CRD: gvk.GroupKind().String(), Cluster: set.Name, Version: gvk.Version, Object: o.label}
	if set.Unknown != "" {
		return subject, about(subject, crdcheck.RuleClusterUnknown, set.Unknown), nil
	}
	crd := definitionOf(set, gvk)
	if crd == nil {
		return subject, about(subject, crdcheck.RuleCRDMissing, ""), nil
	}
	subject.CRD = crd.Name
	definition, err := cache.Compile(crd)
	if err != nil {
		unusable := about(subject, crdcheck.RuleObjectUnchecked, "the definition judges nothing")
		unusable[0].New = err.Error()
		return subject, unusable, nil
	}
	verdict, err := definition.Create(ctx, o.Object)
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

// about is one finding about a whole object. The rule says why it matters, unless why does.
func about(subject crdcheck.Subject, rule crdcheck.RuleID, why string) []crdcheck.Finding {
	f := rule.Finding(crdcheck.Write)
	f.CRD, f.Cluster, f.Version, f.Object = subject.CRD, subject.Cluster, subject.Version, subject.Object
	if why != "" {
		f.Why = why
	}
	return []crdcheck.Finding{f}
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

func definitionOf(set source.Set, gvk runtimeschema.GroupVersionKind) *apiextensionsv1.CustomResourceDefinition {
	for i := range set.CRDs {
		if crd := &set.CRDs[i]; crd.Spec.Group == gvk.Group && crd.Spec.Names.Kind == gvk.Kind {
			return crd
		}
	}
	return nil
}
