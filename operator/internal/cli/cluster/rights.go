package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// right is one verb on one kind, in one namespace or, with "", in all.
type right struct{ verb, group, resource, subresource, namespace string }

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.subresource != "" {
		text += "/" + r.subresource
	}
	if r.group != "" {
		text += "." + r.group
	}
	if r.namespace != "" {
		text += " in " + r.namespace
	}
	return text
}

// rightsOf are the rights that rules give.
func rightsOf(rules []rbacv1.PolicyRule) []right {
	var all []right
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, right{verb: verb, group: group, resource: resource})
				}
			}
		}
	}
	return all
}

// toLetIn are the rights with which a person makes the operator's access in a remote cluster.
func toLetIn(namespace string) []right {
	var all []right
	for _, each := range []right{
		{resource: "namespaces"},
		{resource: "serviceaccounts", namespace: namespace},
		{group: rbacv1.GroupName, resource: "clusterroles"},
		{group: rbacv1.GroupName, resource: "clusterrolebindings"},
	} {
		for _, verb := range []string{"get", "create", "patch"} {
			each.verb = verb
			all = append(all, each)
		}
	}
	return append(all, toIssue(namespace)...)
}

// toIssue are the rights with which a person makes a credential of the operator's service account.
func toIssue(namespace string) []right {
	return []right{
		{verb: "create", resource: "secrets", namespace: namespace},
		{verb: "get", resource: "secrets", namespace: namespace},
		{verb: "delete", resource: "secrets", namespace: namespace},
		{verb: "create", resource: "serviceaccounts", subresource: "token", namespace: namespace},
	}
}

// toRegister are the rights with which a person makes a KubevirtConfig and its Secret in the
// supervisor.
func toRegister(secrets, configs string) []right {
	const group = "vitistack.io"
	return []right{
		{verb: "get", resource: "secrets", namespace: secrets},
		{verb: "create", resource: "secrets", namespace: secrets},
		{verb: "patch", resource: "secrets", namespace: secrets},
		{verb: "list", group: group, resource: "kubevirtconfigs", namespace: configs},
		{verb: "create", group: group, resource: "kubevirtconfigs", namespace: configs},
		{verb: "patch", group: group, resource: "kubevirtconfigs", namespace: configs},
	}
}

// lacking asks the server which of the rights the caller does not have.
func lacking(ctx context.Context, server client.Client, all []right) ([]string, error) {
	var missing []string
	for _, each := range all {
		review := &authorizationv1.SelfSubjectAccessReview{}
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: each.verb, Group: each.group, Resource: each.resource, Subresource: each.subresource,
			Namespace: each.namespace,
		}
		if err := server.Create(ctx, review); err != nil {
			return nil, fmt.Errorf("asking for the right to %s: %w", each, err)
		}
		if !review.Status.Allowed {
			missing = append(missing, each.String())
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// demand returns an error that names the rights which the caller lacks.
func demand(ctx context.Context, server client.Client, where string, all []right) error {
	missing, err := lacking(ctx, server, all)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("you lack rights in %s: %s", where, strings.Join(missing, ", "))
	}
	return nil
}
