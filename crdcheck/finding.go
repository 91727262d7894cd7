package crdcheck

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Finding is one thing that is not as it should be. Its text is made elsewhere: a Finding holds the
// facts alone.
type Finding struct {
	// Rule that was broken.
	Rule RuleID
	// Cluster is the name of the snapshot that it was found in.
	Cluster string
	// CRD is the name of the definition: plural.group.
	CRD string
	// Version of the CRD, "" where it is about all of them; several with one schema are separated
	// by ", ", two that are served side by side by " and ".
	Version string
	// Object is what was looked at by package admit, "namespace/name"; "" where it is about a
	// definition.
	Object string
	// Path of the field: "spec.disks[].name", with [] for the items of a list and [*] for the
	// values of a map. Alternatives of which one is needed are separated by "|". "" where it is
	// about no field.
	Path string
	// Direction says who feels it.
	Direction Direction
	// Effect says what the difference does.
	Effect Effect
	// Old is what was expected: by a requirement, or because the baseline has it. Schemas are in
	// canonical JSON.
	Old string
	// New is what was found.
	New string
	// Why it matters, in a sentence for people.
	Why string
}

// Direction says who feels a difference.
type Direction string

// The directions.
const (
	// Write is felt by who creates or patches objects.
	Write Direction = "write"
	// Read is felt by who reads objects.
	Read Direction = "read"
	// Roundtrip is felt by who reads an object, changes it and writes it back.
	Roundtrip Direction = "roundtrip"
	// Storage is felt by objects that exist already.
	Storage Direction = "storage"
)

// Effect says what a difference does to values.
type Effect string

// The effects.
const (
	// Drops: values are lost.
	Drops Effect = "drops"
	// Narrows: fewer values are possible.
	Narrows Effect = "narrows"
	// Widens: more values are possible.
	Widens Effect = "widens"
	// Incomparable: other values are possible: some are lost, some are new.
	Incomparable Effect = "incomparable"
	// Adds: there is something more, which takes nothing from who does not know it.
	Adds Effect = "adds"
	// Alters: the same values mean or do something else.
	Alters Effect = "alters"
	// Cosmetic: only what people see differs.
	Cosmetic Effect = "cosmetic"
	// Unknown: it could not be looked at.
	Unknown Effect = "unknown"
)

// Severity orders findings by how much they matter.
type Severity int

// The severities, from harmless to bad.
const (
	// Info is nothing to act on.
	Info Severity = iota
	// Unsettled means that the question has no answer, because something could not be looked at.
	Unsettled
	// Warning may hurt.
	Warning
	// Error will hurt.
	Error
)

// String returns the severity in lower case.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Unsettled:
		return "unknown"
	case Warning:
		return "warning"
	default:
		return "error"
	}
}

// Severity follows from Direction and Effect and from nothing else.
func (f Finding) Severity() Severity {
	at := slices.Index([]Direction{Write, Read, Roundtrip, Storage}, f.Direction)
	switch {
	case f.Effect == Drops:
		return Error
	case f.Effect == Cosmetic:
		return Info
	case f.Effect == Unknown:
		return Unsettled
	case at < 0:
		return Warning
	}
	switch f.Effect {
	case Narrows:
		return [...]Severity{Error, Info, Warning, Warning}[at]
	case Widens:
		return [...]Severity{Info, Warning, Warning, Info}[at]
	case Adds:
		return [...]Severity{Info, Info, Warning, Info}[at]
	case Incomparable:
		return [...]Severity{Error, Warning, Warning, Warning}[at]
	default:
		return Warning
	}
}

// Fingerprint names the finding for lists of known ones: 12 hexadecimal digits that stay the same
// while the rule, the place and both values do. The cluster has no part in it, so that the same
// difference has one name in all of a fleet, nor has the wording, nor who was asked.
func (f Finding) Fingerprint() string {
	facts := []string{string(f.Rule), f.CRD, f.Version, f.Object, f.Path, f.Old, f.New}
	encoded, _ := json.Marshal(facts) // strings always encode
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:6])
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.CRD, b.CRD), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Object, b.Object), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Old, b.Old),
		cmp.Compare(a.New, b.New), cmp.Compare(a.Why, b.Why),
	)
}

// sorted returns the findings in their order, each once.
func sorted(findings []Finding) []Finding {
	slices.SortFunc(findings, compareFindings)
	return slices.Compact(findings)
}
