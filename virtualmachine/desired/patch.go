package desired

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// The paths of what may change. A list among them has no list type: a patch replaces all of it.
var (
	pathInstancetype = []string{"spec", "instancetype"}
	pathPreference   = []string{"spec", "preference"}
	pathRunStrategy  = []string{"spec", "runStrategy"}
	pathRunning      = []string{"spec", "running"}
	pathTemplates    = []string{"spec", "dataVolumeTemplates"}
	pathInstance     = []string{"spec", "template", "spec"}
	pathEviction     = inInstance("evictionStrategy")
	pathVolumes      = inInstance("volumes")
	pathNetworks     = inInstance("networks")
	pathCPU          = inInstance("domain", "cpu")
	pathCPUModel     = inInstance("domain", "cpu", "model")
	pathMemory       = inInstance("domain", "memory")
	pathMemoryGuest  = inInstance("domain", "memory", "guest")
	pathDisks        = inInstance("domain", "devices", "disks")
	pathInterfaces   = inInstance("domain", "devices", "interfaces")
)

func inInstance(path ...string) []string { return slices.Concat(pathInstance, path) }

// patch builds a JSON merge patch. live and wanted are only read.
type patch struct {
	live, wanted, result map[string]any
	err                  error
}

func newPatch(live, wanted map[string]any) *patch {
	return &patch{live: live, wanted: wanted, result: map[string]any{}}
}

// set writes a value. A field that has it already is written too: the API server then changes
// nothing.
func (p *patch) set(value any, path ...string) {
	if p.err == nil {
		p.err = unstructured.SetNestedField(p.result, value, path...)
	}
}

// remove takes a field away, if it is there.
func (p *patch) remove(path ...string) {
	if p.liveHas(path...) {
		p.set(nil, path...)
	}
}

func (p *patch) liveHas(path ...string) bool {
	_, found, err := unstructured.NestedFieldNoCopy(p.live, path...)
	return found && err == nil
}

// copy writes the wanted value of a field, or takes the field away where none is wanted.
func (p *patch) copy(path ...string) {
	value, found, err := unstructured.NestedFieldCopy(p.wanted, path...)
	switch {
	case err != nil:
		p.err = err
	case found:
		p.set(value, path...)
	default:
		p.remove(path...)
	}
}

// replace writes the wanted object in place of the live one. Fields that only the live one has
// belong to what it was, for example the revision of another instance type.
func (p *patch) replace(path ...string) {
	p.copy(path...)
	wanted, found, _ := unstructured.NestedMap(p.wanted, path...)
	if !found {
		return
	}
	live, _, _ := unstructured.NestedMap(p.live, path...)
	for key := range live {
		if _, keep := wanted[key]; !keep {
			p.remove(append(slices.Clone(path), key)...)
		}
	}
}

// clearSize takes processor and memory away, which an instance type gives from now on: KubeVirt
// refuses both. An object in which nothing would be left goes as a whole: the API server refuses an
// empty one. The processor's model goes with the numbers where it is all that is left, as the
// instance type may name another.
func (p *patch) clearSize() {
	p.clear(pathCPU, []string{"cores", "sockets", "threads"}, "model")
	p.clear(pathMemory, []string{"guest"})
}

// clear takes fields of an object away, and the whole object where at most the fields of spare
// would be left.
func (p *patch) clear(path, fields []string, spare ...string) {
	live, _, _ := unstructured.NestedMap(p.live, path...)
	for key := range live {
		if !slices.Contains(fields, key) && !slices.Contains(spare, key) {
			for _, field := range fields {
				p.remove(append(slices.Clone(path), field)...)
			}
			return
		}
	}
	p.remove(path...)
}

// listOf returns a copy of a list.
func listOf(object map[string]any, path []string) []any {
	list, _, _ := unstructured.NestedSlice(object, path...)
	return list
}

// list returns a copy of a list as it is after what the patch does to it so far.
func (p *patch) list(path []string) []any {
	if list, found, err := unstructured.NestedSlice(p.result, path...); found && err == nil {
		return list
	}
	return listOf(p.live, path)
}

// addEntry puts a wanted entry at the end of a list that has none of its name.
func (p *patch) addEntry(path []string, name string) {
	list := p.list(path)
	wanted, found := entry(listOf(p.wanted, path), name)
	if _, there := entry(list, name); there || !found {
		return
	}
	p.set(append(list, p.withoutTakenBootOrder(wanted)), path...)
}

// withoutTakenBootOrder returns an entry without its boot order where another device has that one:
// KubeVirt refuses two.
func (p *patch) withoutTakenBootOrder(added any) any {
	fields, ok := added.(map[string]any)
	if !ok || fields["bootOrder"] == nil {
		return added
	}
	for _, path := range [][]string{pathDisks, pathInterfaces} {
		for _, each := range p.list(path) {
			if device, ok := each.(map[string]any); ok && reflect.DeepEqual(device["bootOrder"], fields["bootOrder"]) {
				fields = runtime.DeepCopyJSON(fields)
				delete(fields, "bootOrder")
				return fields
			}
		}
	}
	return added
}

// removeEntry takes the entry of a name out of a list, if it is there.
func (p *patch) removeEntry(path []string, name string) {
	list := p.list(path)
	if _, there := entry(list, name); there {
		p.set(slices.DeleteFunc(list, func(each any) bool { return nameOf(each) == name }), path...)
	}
}

// addDisk adds a disk with its volume and, if the volume is not there already, the template of its
// DataVolume.
func (p *patch) addDisk(name string) {
	if _, there := entry(p.list(pathVolumes), name); !there {
		wanted, _ := entry(listOf(p.wanted, pathVolumes), name)
		if dataVolume := dataVolumeOf(wanted); dataVolume != "" {
			p.addEntry(pathTemplates, dataVolume)
		}
	}
	p.addEntry(pathVolumes, name)
	p.addEntry(pathDisks, name)
}

// ejectISO takes the image to install from out of the VirtualMachine, so that nothing refers to it
// when it is deleted.
func (p *patch) ejectISO() {
	if volume, there := entry(p.list(pathVolumes), isoDiskName); there {
		if dataVolume := dataVolumeOf(volume); dataVolume != "" {
			p.removeEntry(pathTemplates, dataVolume)
		}
		p.removeEntry(pathVolumes, isoDiskName)
	}
	p.removeEntry(pathDisks, isoDiskName)
}

func entry(list []any, name string) (any, bool) {
	i := slices.IndexFunc(list, func(each any) bool { return nameOf(each) == name })
	if i < 0 {
		return nil, false
	}
	return list[i], true
}

// nameOf returns the name of a list's entry; that of a template of a DataVolume is in its metadata.
func nameOf(each any) string {
	fields, ok := each.(map[string]any)
	if !ok {
		return ""
	}
	if name, ok := fields["name"].(string); ok {
		return name
	}
	name, _, _ := unstructured.NestedString(fields, "metadata", "name")
	return name
}

func dataVolumeOf(volume any) string {
	fields, _ := volume.(map[string]any)
	name, _, _ := unstructured.NestedString(fields, "dataVolume", "name")
	return name
}
