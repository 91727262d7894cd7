// Package render writes reports of package crdcheck for people, with the marks of the operator's
// start-up log: ✅ for what is as it should be, ⚠️ for what is not.
//
// Equal reports give equal bytes. All functions are safe for concurrent use.
package render
