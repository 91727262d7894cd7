package crdcheck

import (
	"slices"
	"strings"
)

// Usage is what a program writes and reads: what makes hundreds of changes the few that touch it.
type Usage struct {
	// Program is its name, for people.
	Program string `json:"program"`
	// Kinds that it uses, in any order.
	Kinds []KindUsage `json:"kinds"`
}

// KindUsage is what a program does with objects of one definition.
type KindUsage struct {
	// CRD is the definition's name: plural.group.
	CRD string `json:"crd"`
	// Version that the program speaks; "" means any.
	Version string `json:"version,omitempty"`
	// Writes are paths of fields that the program sets: "spec.disks[].name". A path that ends in
	// "..." stands for all below it too.
	Writes []string `json:"writes,omitempty"`
	// Reads are paths of fields that the program looks at.
	Reads []string `json:"reads,omitempty"`
	// Roundtrips is true for a program that reads an object as a type of its own, changes it and
	// writes it back (Update), which erases what the type does not know; false for one that
	// creates, patches and applies.
	Roundtrips bool `json:"roundtrips,omitempty"`
	// Objects are examples of what the program writes. What they set counts as written; a field
	// that each of them sets, wherever its parent is there, may become required.
	Objects []map[string]any `json:"objects,omitempty"`
}

// Requirements returns what the program needs of the definitions: that the version is served, and
// every field there.
func (u Usage) Requirements() []Requirement {
	var requirements []Requirement
	for _, k := range u.Kinds {
		r := Requirement{CRD: k.CRD, Version: k.Version}
		written := k.written()
		for _, path := range written {
			r.Fields = append(r.Fields, Writes(strings.TrimSuffix(path, everything)))
		}
		for _, path := range k.Reads {
			if !slices.Contains(written, path) {
				r.Fields = append(r.Fields, Reads(strings.TrimSuffix(path, everything)))
			}
		}
		requirements = append(requirements, r)
	}
	return requirements
}

// everything ends a path that stands for all below it too.
const everything = "..."

func (u *Usage) crds() []string {
	var names []string
	for _, k := range u.Kinds {
		names = append(names, k.CRD)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// of returns what is said of one definition; the same definition named twice, in two versions,
// counts as one.
func (u *Usage) of(crd string) *KindUsage {
	if u == nil {
		return nil
	}
	whole := &KindUsage{CRD: crd}
	for i, k := range u.Kinds {
		if k.CRD != crd {
			continue
		}
		if whole.Version == "" {
			whole.Version = k.Version
		} else if whole.Version != k.Version {
			whole.Version = ""
		}
		whole.Writes = append(whole.Writes, u.Kinds[i].written()...)
		whole.Reads = append(whole.Reads, k.Reads...)
		whole.Objects = append(whole.Objects, k.Objects...)
		whole.Roundtrips = whole.Roundtrips || k.Roundtrips
	}
	return whole
}

// written are the paths that are written, by name or in an example, sorted.
func (k *KindUsage) written() []string {
	all := slices.Concat(k.Writes, PathsOf(k.Objects...))
	slices.Sort(all)
	return slices.Compact(all)
}

// roles are those in which the program meets a path.
func (k *KindUsage) roles(path string) []Direction {
	var met []Direction
	if path == "" {
		met = append(met, Storage) // a program's objects are stored
	}
	if path == "" || slices.ContainsFunc(k.Writes, touches(path)) {
		met = append(met, Write)
	}
	if path == "" || slices.ContainsFunc(k.Reads, touches(path)) {
		met = append(met, Read)
	}
	if k.Roundtrips {
		met = append(met, Roundtrip)
	}
	return met
}

// touches returns whether using one path means to use another: itself, what it is in, and what is
// below it if it ends in "...". A key that is used is one of the values of its map.
func touches(path string) func(used string) bool {
	changed := steps(path)
	return func(used string) bool {
		whole, all := strings.CutSuffix(used, everything)
		mine := steps(whole)
		for i := range min(len(mine), len(changed)) {
			if mine[i] != changed[i] && (changed[i].kind != anyValue || mine[i].kind != "") {
				return false
			}
		}
		return len(changed) <= len(mine) || all
	}
}

// sends reports whether every example that has the parent sets the field in it, and at least one
// does. Without a usage nobody knows.
func (k *KindUsage) sends(parent, name string) bool {
	if k == nil {
		return false
	}
	seen := false
	for _, object := range k.Objects {
		for _, holder := range valuesAt(object, parent) {
			fields, isObject := holder.(map[string]any)
			if !isObject {
				continue
			}
			if _, set := fields[name]; !set {
				return false
			}
			seen = true
		}
	}
	return seen
}
