// Package admit tells what an API server would do with an object of a custom resource, without
// asking it: which fields it drops and fills in, and what it refuses. It takes the steps of
// k8s.io/apiextensions-apiserver v0.37 in its order, with its own code: prune, nulls, metadata of
// embedded objects, defaults, schema, list types, CEL.
//
//	definition, err := admit.Compile(&crd)
//	verdict, err := definition.Create(ctx, object)
//
// It is a package of its own because CEL is not small. What it does not know: admission webhooks,
// which may refuse and change more (ask the cluster itself: [Live]); conversion webhooks, which
// alone know what of an object the stored version keeps (Verdict.ConvertedTo); quotas and rights;
// the CEL functions of an API server that is older or newer than this library.
package admit
