// Package v1alpha1 holds the API types of group vitistack.io, version v1alpha1.
package v1alpha1
