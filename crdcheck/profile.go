package crdcheck

import "slices"

// Profile names who is asked. Each profile asks all that the one before it asks, and one more.
type Profile string

// The profiles, from the fewest to all.
const (
	// ProfileStorage asks the objects that exist.
	ProfileStorage Profile = "storage"
	// ProfileServer asks who writes too: what will the server refuse or drop?
	ProfileServer Profile = "server"
	// ProfileClient asks who reads too.
	ProfileClient Profile = "client"
	// ProfileStrict asks everybody, those too who read objects as types of their own and write them
	// back.
	ProfileStrict Profile = "strict"
)

// Profiles returns all profiles in their order.
func Profiles() []Profile {
	return []Profile{ProfileStorage, ProfileServer, ProfileClient, ProfileStrict}
}

// Directions returns who is asked, for Options; nil for an unknown profile, which means everybody.
func (p Profile) Directions() []Direction {
	order := []Direction{Storage, Write, Read, Roundtrip}
	at := slices.Index(Profiles(), p)
	if at < 0 {
		return nil
	}
	return order[:at+1]
}
