// Package admitted holds the tests in which KubeVirt itself judges what the reconciler makes of
// Machines: its webhooks admit it, and its controller lives with the changes of it.
package admitted
