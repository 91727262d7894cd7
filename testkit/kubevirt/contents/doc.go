// Package contents keeps what is in the claims of a cluster, each in a file named after the claim's
// UID, so that a test can tell whose disk it looks at:
//
//	store, err := contents.Open(dir)
//	disk, err := store.Make(claim.UID, contents.RecipeFor(claim))
//	_, err = disk.WriteAt([]byte("the guest wrote this"), 4096)
//
// A disk is small, whatever its claim asks for. What was not written by anybody follows from where
// the disk came from, and is made when it is first looked at: a claim that is left alone costs no
// file.
package contents
