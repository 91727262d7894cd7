package desired

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Change is a change of a VirtualMachine that exists.
type Change struct {
	// Live is the VirtualMachine as it is. Fields that this program does not know are there too.
	Live map[string]any
	// Owned are the fields of Live that are ours, as they are now.
	Owned map[string]any
	// Wanted is the VirtualMachine as it would be created.
	Wanted *kubevirtv1.VirtualMachine
	// Now and Last are the Machine's wish and the one last applied.
	Now, Last Wish
}

// The paths of what may change. A list among them has no list type: whoever applies it replaces all of it.
var (
	pathInstancetype = []string{"spec", "instancetype"}
	pathPreference   = []string{"spec", "preference"}
	pathRunStrategy  = []string{"spec", "runStrategy"}
	pathTemplates    = []string{"spec", "dataVolumeTemplates"}
	pathInstance     = []string{"spec", "template", "spec"}
	pathEviction     = inInstance("evictionStrategy")
	pathVolumes      = inInstance("volumes")
	pathNetworks     = inInstance("networks")
	pathDisks        = inInstance("domain", "devices", "disks")
	pathInterfaces   = inInstance("domain", "devices", "interfaces")

	// pathSizes are single fields: what else stands beside them stays.
	pathSizes = [][]string{
		inInstance("domain", "cpu", "cores"), inInstance("domain", "cpu", "sockets"), inInstance("domain", "cpu", "threads"),
		inInstance("domain", "memory", "guest"),
	}
)

func inInstance(path ...string) []string { return slices.Concat(pathInstance, path) }

// Apply is what to apply: the fields that are ours with the values that they have, and what the Machine wishes otherwise than last. New
// disks and interfaces go into the lists by their name; what is in a list stays there, but for the drive of an installation that is done.
// Neither Live nor Owned is changed.
func (c Change) Apply() (map[string]any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.Wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding the VirtualMachine: %w", err)
	}
	m := merge{live: c.Live, wanted: content, result: runtime.DeepCopyJSON(c.Owned)}
	m.set(true, "metadata", "labels")
	if !c.Now.isSized(c.Last) {
		for _, path := range pathSizes {
			m.set(true, path...)
		}
	}
	m.set(c.Now.Instancetype != c.Last.Instancetype, pathInstancetype...)
	m.set(c.Now.Preference != c.Last.Preference, pathPreference...)
	m.set(c.Now.EvictionStrategy != c.Last.EvictionStrategy, pathEviction...)
	m.set(c.Now.RunStrategy != "" && c.Now.RunStrategy != c.Last.RunStrategy, pathRunStrategy...)
	for _, name := range c.Now.diskNames() {
		if _, had := c.Last.Disks[name]; !had {
			m.addDisk(name)
		}
	}
	for _, name := range c.Now.Interfaces {
		if !slices.Contains(c.Last.Interfaces, name) {
			m.add(pathInterfaces, name)
			m.add(pathNetworks, name)
		}
	}
	if c.Last.Disks[isoDiskName] != 0 && c.Now.Disks[isoDiskName] == 0 {
		m.eject()
	}
	if c.Now.CloudInit != c.Last.CloudInit && c.Now.CloudInit != "" {
		m.remove(pathVolumes, cloudInitDiskName)
		m.addDisk(cloudInitDiskName)
	}
	return m.result, m.err
}

// merge builds the result of a Change.
type merge struct {
	live, wanted, result map[string]any
	err                  error
}

// set takes the wanted value of a field, or takes the field away where none is wanted.
func (m *merge) set(changed bool, path ...string) {
	if !changed || m.err != nil {
		return
	}
	value, found, err := unstructured.NestedFieldCopy(m.wanted, path...)
	if err == nil && found {
		err = unstructured.SetNestedField(m.result, value, path...)
	} else if err == nil {
		unstructured.RemoveNestedField(m.result, path...)
	}
	m.err = err
}

// list is a list of the result; where it is not there yet, it begins as the live one.
func (m *merge) list(path []string) []any {
	for _, from := range []map[string]any{m.result, m.live} {
		if list, found, err := unstructured.NestedSlice(from, path...); err == nil && found {
			return list
		}
	}
	return nil
}

func (m *merge) put(path []string, list []any) {
	if m.err == nil {
		m.err = unstructured.SetNestedSlice(m.result, list, path...)
	}
}

// add puts a wanted entry at the end of a list that has none of its name.
func (m *merge) add(path []string, name string) {
	list := m.list(path)
	wanted, found := entry((&merge{live: m.wanted}).list(path), name)
	if _, there := entry(list, name); there || !found {
		return
	}
	m.put(path, append(list, wanted))
}

func (m *merge) remove(path []string, name string) {
	m.put(path, slices.DeleteFunc(m.list(path), func(each any) bool { return nameOf(each) == name }))
}

// addDisk adds a disk with its volume and, if that is not there already under whatever name, the DataVolume of it.
func (m *merge) addDisk(name string) {
	if _, there := entry(m.list(pathVolumes), name); !there {
		wanted, _ := entry((&merge{live: m.wanted}).list(pathVolumes), name)
		if dataVolume := dataVolumeOf(wanted); dataVolume != "" {
			m.add(pathTemplates, dataVolume)
		}
	}
	m.add(pathVolumes, name)
	m.add(pathDisks, name)
}

// eject takes the ISO image out: first from the VirtualMachine, so that nothing refers to it when it is deleted.
func (m *merge) eject() {
	if volume, there := entry(m.list(pathVolumes), isoDiskName); there {
		m.remove(pathTemplates, dataVolumeOf(volume))
		m.remove(pathVolumes, isoDiskName)
	}
	m.remove(pathDisks, isoDiskName)
}

func entry(list []any, name string) (any, bool) {
	i := slices.IndexFunc(list, func(each any) bool { return nameOf(each) == name })
	if i < 0 {
		return nil, false
	}
	return list[i], true
}

// nameOf is the name of a list's entry; that of a template of a DataVolume is in its metadata.
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
