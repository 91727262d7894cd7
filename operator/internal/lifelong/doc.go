// Package lifelong holds the tests of what happens to a Machine after it runs, when others act:
// people, policies, quotas, webhooks, address operators and clusters. One operator with the
// documented rights serves all tests side by side, on real control planes with real KubeVirt. Each
// test has a namespace of its own.
package lifelong
