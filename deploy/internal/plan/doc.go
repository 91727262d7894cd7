// Package plan says what a release of the repository consists of: which modules changed since their
// last tags, which tags are made, in which order, and whether each version is a large enough step
// for what changed in the module's exported API.
//
//	planned, err := plan.Make(ctx, "..")
//	for _, module := range planned.Released() {
//		fmt.Println(module.Tag(), module.Why())
//	}
//
// It reads the commit that is checked out and the tags before it, and changes nothing. What keeps
// the release from being made is an error with a sentence for each module.
//
// Open plan.go first; version.go has the rules of versions, and api.go compares what is exported.
package plan
