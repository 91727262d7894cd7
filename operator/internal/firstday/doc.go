// Package firstday has the tests that go a person's way with kubectl machine: a cluster is added,
// looked at, rotated and removed, and a Machine is asked about, on real API servers, with the
// operator running as it is deployed. Every refusal is tried, and that it leaves nothing behind.
package firstday
