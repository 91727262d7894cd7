// Package fitting has the tests that ask a fleet of clusters, each of which lacks something else,
// whether a Machine can run there: kubectl machine fits, operator explain, and the strategy fit
// under the running operator, on real API servers.
package fitting
