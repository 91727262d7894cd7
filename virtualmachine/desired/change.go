package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Change is a change of a VirtualMachine that exists.
type Change struct {
	// Live is the VirtualMachine as it is. Fields that this program does not know are there too.
	Live map[string]any
	// Wanted is the VirtualMachine as it would be created: see [VirtualMachine], with Input.Last
	// set.
	Wanted *kubevirtv1.VirtualMachine
	// Now and Last are the Machine's wish and the one last applied.
	Now, Last Wish
}

// Part is one patch of a VirtualMachine: a subject in which the wish differs from the last one.
type Part struct {
	// What is the subject, for people: "run strategy", "size", "eviction strategy", "disks",
	// "interfaces".
	What string
	// Patch is a JSON merge patch of the spec. It is empty where the VirtualMachine is as wished
	// already: then only the wish is to be written down. The caller adds metadata.uid and
	// metadata.resourceVersion, so that the patch meets this object in this state or none, and the
	// annotation with Applied.
	Patch map[string]any
	// Applied is the wish that the VirtualMachine carries once this part and all before it are
	// applied.
	Applied Wish

	now  Wish
	take func(into *Wish, now Wish)
}

// AppliedOn returns a wish with the subject of this part alone applied: for callers that skip a
// part that the cluster refuses.
func (p Part) AppliedOn(wish Wish) Wish {
	p.take(&wish, p.now)
	return wish
}

// Parts returns what to patch, in the order in which to do it: the run strategy first and alone, so
// that no other part can hold up a stop, then the size, then the rest. Each subject in which Now
// and Last differ is a part. A part has exactly the paths whose wish changed; the parts have no
// path in common. Lists are those of Live, with entries of ours added or taken out by their name.
// Nothing in a result shares memory with Live.
func (c Change) Parts() ([]Part, error) {
	wanted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.Wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding the VirtualMachine: %w", err)
	}
	var parts []Part
	applied := c.Last
	for _, s := range subjects {
		before := applied
		s.take(&applied, c.Now)
		if applied.String() == before.String() {
			continue
		}
		p := newPatch(c.Live, wanted)
		s.write(p, c.Now, c.Last)
		if p.err != nil {
			return nil, fmt.Errorf("the VirtualMachine's %s: %w", s.what, p.err)
		}
		parts = append(parts, Part{What: s.what, Patch: p.result, Applied: applied, now: c.Now, take: s.take})
	}
	return parts, nil
}

// Join returns one part that does what all of them do, to be tried first: it is one write. No parts
// give the zero Part.
func Join(parts []Part) Part {
	if len(parts) == 0 {
		return Part{}
	}
	last := parts[len(parts)-1]
	joined := Part{Patch: map[string]any{}, Applied: last.Applied, now: last.now}
	var what []string
	for _, part := range parts {
		what = append(what, part.What)
		mergeInto(joined.Patch, runtime.DeepCopyJSON(part.Patch))
	}
	joined.What = strings.Join(what, ", ")
	joined.take = func(into *Wish, now Wish) {
		for _, part := range parts {
			part.take(into, now)
		}
	}
	return joined
}

func mergeInto(patch, more map[string]any) {
	for key, value := range more {
		below, isObject := patch[key].(map[string]any)
		moreBelow, moreIsObject := value.(map[string]any)
		if isObject && moreIsObject {
			mergeInto(below, moreBelow)
		} else {
			patch[key] = value
		}
	}
}

// subject is what one part is about.
type subject struct {
	what string
	// take copies the subject's fields of a wish. The wish shares no memory with now afterwards.
	take func(into *Wish, now Wish)
	// write writes the changes between two wishes into a patch.
	write func(p *patch, now, last Wish)
}

// subjects in the order of their parts. Each field of Wish belongs to exactly one.
var subjects = []subject{
	{
		what:  "run strategy",
		take:  func(into *Wish, now Wish) { into.RunStrategy = now.RunStrategy },
		write: writeRunStrategy,
	},
	{
		what: "size",
		take: func(into *Wish, now Wish) {
			into.Class, into.Cores, into.Sockets, into.Threads, into.Memory = now.Class, now.Cores, now.Sockets, now.Threads,
				now.Memory
			into.Instancetype, into.Preference, into.Resize = now.Instancetype, now.Preference, now.Resize
			into.Asked = nil
			if now.Asked != nil {
				asked := *now.Asked
				into.Asked = &asked
			}
		},
		write: writeSize,
	},
	{
		what:  "eviction strategy",
		take:  func(into *Wish, now Wish) { into.EvictionStrategy = now.EvictionStrategy },
		write: func(p *patch, _, _ Wish) { p.copy(pathEviction...) },
	},
	{
		what: "disks",
		take: func(into *Wish, now Wish) {
			into.Disks, into.CloudInit = maps.Clone(now.Disks), now.CloudInit
		},
		write: writeDisks,
	},
	{
		what:  "interfaces",
		take:  func(into *Wish, now Wish) { into.Interfaces = slices.Clone(now.Interfaces) },
		write: writeInterfaces,
	},
}

// writeRunStrategy also serves a VirtualMachine that has the older field running: KubeVirt refuses
// both fields beside each other.
func writeRunStrategy(p *patch, now, _ Wish) {
	strategy := kubevirtv1.VirtualMachineRunStrategy(now.RunStrategy)
	_, older, _ := unstructured.NestedBool(p.live, pathRunning...)
	switch {
	case strategy == "":
		// The Machine leaves it to people from now on.
	case older && strategy == kubevirtv1.RunStrategyHalted:
		p.set(false, pathRunning...)
	case older && strategy == kubevirtv1.RunStrategyAlways:
		p.set(true, pathRunning...)
	case older:
		p.remove(pathRunning...)
		p.set(string(strategy), pathRunStrategy...)
	default:
		p.set(string(strategy), pathRunStrategy...)
	}
}

// writeSize writes number by number: a socket that was plugged in by hand stays, while the Machine
// asks for more memory.
func writeSize(p *patch, now, last Wish) {
	if now.Instancetype != last.Instancetype {
		p.replace(pathInstancetype...)
	}
	if now.Preference != last.Preference {
		p.replace(pathPreference...)
	}
	if now.Instancetype != "" {
		if last.Instancetype == "" {
			p.clearSize()
		}
		return
	}
	for _, number := range []struct {
		name     string
		now, was uint32
	}{{"cores", now.Cores, last.Cores}, {"sockets", now.Sockets, last.Sockets}, {"threads", now.Threads, last.Threads}} {
		if number.now != number.was {
			p.set(int64(number.now), append(slices.Clone(pathCPU), number.name)...)
		}
	}
	if now.Memory != last.Memory {
		memory := Size{Memory: now.Memory}.quantity()
		p.set(memory.String(), pathMemoryGuest...)
	}
	if last.Instancetype != "" && !p.liveHas(pathCPUModel...) {
		p.copy(pathCPUModel...)
	}
}

// writeDisks adds disks that are new, takes the drive of an installation out that is done, and
// replaces the cloud-init disk. What else is in the lists stays.
func writeDisks(p *patch, now, last Wish) {
	for _, name := range now.diskNames() {
		if _, had := last.Disks[name]; !had {
			p.addDisk(name)
		}
	}
	if last.Disks[isoDiskName] != 0 && now.Disks[isoDiskName] == 0 {
		p.ejectISO()
	}
	if now.CloudInit != last.CloudInit && now.CloudInit != "" {
		p.removeEntry(pathVolumes, cloudInitDiskName)
		p.addDisk(cloudInitDiskName)
	}
}

// writeInterfaces takes out interfaces that the Machine asked for and asks for no more, and adds
// those that are new. Others stay: a person added them.
func writeInterfaces(p *patch, now, last Wish) {
	wanted := listOf(p.wanted, pathInterfaces)
	for _, name := range last.Interfaces {
		if _, recorded := entry(wanted, name); !recorded && !slices.Contains(now.Interfaces, name) {
			p.removeEntry(pathInterfaces, name)
			p.removeEntry(pathNetworks, name)
		}
	}
	for _, name := range now.Interfaces {
		if !slices.Contains(last.Interfaces, name) {
			p.addEntry(pathNetworks, name)
			p.addEntry(pathInterfaces, name)
		}
	}
}
