// Package canary finds secrets in texts that should have none. It is for tests alone: they put a
// canary into every Secret, let the operator work, and search all that it leaves behind.
//
//	canaries := canary.Flock{"cloud-init": []byte("canary-5d1f0c77")}
//	for _, found := range canaries.In(log) {
//		t.Error(found)
//	}
//
// The package is pure. A canary is found as it is, in base64 at any alignment, in hexadecimal,
// percent-encoded, and escaped as JSON or as Go quote it.
package canary
