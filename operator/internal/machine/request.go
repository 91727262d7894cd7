package machine

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Placer answers where Machines go. placement.Chain is one, and so is a plugin host.
type Placer interface {
	// Place is placement.Chain.Place.
	Place(ctx context.Context, gather placement.Gather) (placement.Decision, placement.Trace, error)
}

// ask asks the strategies. It looks into all clusters before, where the Machine is not fresh, or in
// between, where a strategy has to know. What was asked and seen is written into the decision.
func (r *MachineReconciler) ask(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string,
	configs []vitistackv1alpha1.KubevirtConfig, decision *Decision,
) (placement.Decision, error) {
	known := &facts{r: r, machine: machine, vmName: vmName, request: r.request(machine, configs)}
	defer func() { decision.Seen, decision.Asked.Request = known.seen, known.request }()
	if !r.isFresh(machine) || r.hasFormer(ctx, machine, vmName, known.request.Candidates) {
		if err := known.look(ctx); err != nil {
			return placement.Decision{}, err
		}
	}
	chosen, trace, err := r.placer.Place(ctx, known.gather)
	decision.Asked.Trace = trace
	return chosen, err
}

// hasFormer reports whether a cache has a VirtualMachine of the wanted name that was made for
// another Machine: reason enough to look closer.
func (r *MachineReconciler) hasFormer(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string, candidates []placement.Candidate,
) bool {
	subject := r.subject(machine, vmName)
	if subject.Names() && !subject.Held {
		return false
	}
	return slices.ContainsFunc(names(candidates), func(config string) bool {
		vm := &kubevirtv1.VirtualMachine{}
		remote, err := r.KubevirtClientMgr.GetClientForConfig(ctx, config)
		if err != nil || remote.Get(ctx, client.ObjectKey{Namespace: machine.Namespace, Name: vmName}, vm) != nil {
			return false
		}
		look := survey.Answered(config, "", vm).Look
		return custody.Case{Machine: subject}.Relation(look, look.Found[0]) == custody.OtherMachine
	})
}

// request are the facts of the Machine and of all clusters that cost nothing.
func (r *MachineReconciler) request(
	machine *vitistackv1alpha1.Machine, configs []vitistackv1alpha1.KubevirtConfig,
) placement.Request {
	request := placement.Request{
		Machine: about(machine), Default: r.settings.DefaultConfig, ConfigNamespace: r.settings.ConfigsNamespace,
	}
	for _, config := range configs {
		state, _ := r.KubevirtClientMgr.State(config.Name)
		request.Candidates = append(request.Candidates,
			placement.Candidate{Name: config.Name, Labels: config.Labels, Reachable: state.Ready()})
	}
	return request
}

// about is what strategies may know of the Machine.
func about(machine *vitistackv1alpha1.Machine) placement.Machine {
	wanted := custody.References(machine)
	about := placement.Machine{
		Namespace: machine.Namespace, Name: machine.Name, UID: string(machine.UID), Labels: machine.Labels,
		Reference: placement.Reference{Field: wanted[0], Annotation: wanted[1]},
	}
	about.InstanceType, _ = desired.ClassName(machine) // two classes are refused later, and say nothing here
	for name, value := range machine.Annotations {
		if !isShown(name) {
			continue
		}
		if about.Annotations == nil {
			about.Annotations = map[string]string{}
		}
		about.Annotations[name] = value
	}
	return about
}

// isShown reports whether strategies are shown the annotation of that name as it is.
func isShown(name string) bool {
	return strings.HasPrefix(name, vitistackv1alpha1.AnnotationPrefixPlacement)
}

// hidden are the names of the annotations of which strategies see nothing, sorted. They see the one
// that names a KubevirtConfig as the Machine's reference.
func hidden(machine *vitistackv1alpha1.Machine) []string {
	var names []string
	for _, name := range sortedKeys(machine.Annotations) {
		if !isShown(name) && name != vitistackv1alpha1.AnnotationKubevirtConfig {
			names = append(names, name)
		}
	}
	return names
}

// closed says why a KubevirtConfig takes no Machine of a namespace whose VirtualMachine is not
// there already. nil means that it does.
func (r *MachineReconciler) closed(
	ctx context.Context, configs []vitistackv1alpha1.KubevirtConfig, name, namespace string,
) error {
	const placed = vitistackv1alpha1.ConditionPlaced
	i := slices.IndexFunc(configs, func(config vitistackv1alpha1.KubevirtConfig) bool { return config.Name == name })
	if i < 0 {
		return nil
	}
	config := &configs[i]
	switch {
	case !config.DeletionTimestamp.IsZero():
		return problem.Time(placed, vitistackv1alpha1.ReasonConfigTerminating, "KubevirtConfig %s is being deleted", name)
	case config.Spec.Paused:
		return problem.Person(placed, vitistackv1alpha1.ReasonPaused, "KubevirtConfig %s is paused: it takes no new Machines",
			name)
	case config.Spec.AllowedNamespaces == nil:
		return nil
	}
	labels := map[string]string{}
	if config.Spec.AllowedNamespaces.Selector != nil {
		read := &corev1.Namespace{}
		if err := r.live.Get(ctx, client.ObjectKey{Name: namespace}, read); client.IgnoreNotFound(err) != nil {
			return problem.Supervisor(err, problem.At{Condition: placed, Doing: "reading namespace " + namespace})
		}
		labels = read.Labels
	}
	if !config.Allows(namespace, labels) {
		return problem.Person(placed, vitistackv1alpha1.ReasonClusterNotAllowed,
			"KubevirtConfig %s takes no Machines of namespace %s: see its spec.allowedNamespaces", name, namespace)
	}
	return nil
}

func names(candidates []placement.Candidate) []string {
	all := make([]string, 0, len(candidates))
	for _, candidate := range candidates {
		all = append(all, candidate.Name)
	}
	return all
}
