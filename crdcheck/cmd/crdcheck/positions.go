package main

import (
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// positionsOr says where the definitions of sets were read. One that a set lacks, or that a cluster
// has, is where another set has it in a file: code scanning shows nothing that has no file.
func positionsOr(sets []source.Set, others ...source.Set) map[render.Place]render.Position {
	all := positions(sets...)
	for _, set := range sets {
		for _, other := range others {
			for name, at := range other.At {
				place := render.Place{Cluster: set.Name, CRD: name}
				if _, found := all[place]; !found {
					all[place] = render.Position{File: at.File, Line: at.Line}
				}
			}
		}
	}
	return all
}

// usageSet is the usage file as a place that names definitions.
func (o *options) usageSet(usage *crdcheck.Usage) source.Set {
	set := source.Set{Name: o.usageFile, At: map[string]source.Position{}}
	for _, kind := range usage.Kinds {
		set.At[kind.CRD] = source.Position{File: o.usageFile, Line: 1}
	}
	return set
}
