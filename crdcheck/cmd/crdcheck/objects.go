package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/go-multierror"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// errNoObject is the error of a document that is not meant for a cluster, such as a chart's values.
var errNoObject = errors.New("no Kubernetes object: apiVersion and kind are needed")

// object is one object, and where it was read.
type object struct {
	unstructured.Unstructured
	at render.Position
	// label names the object to people: "Widget default/w".
	label string
}

// objectReader reads objects from files, folders and streams.
type objectReader struct {
	stdin io.Reader
	found []object
	// strange are the files of folders that have documents which are no objects, once for each.
	strange []string
}

// readObjects reads the objects of all places. The error has a line for each document that cannot be
// read; the objects of the others are returned beside it.
func readObjects(s streams, places []string) (*objectReader, error) {
	r := &objectReader{stdin: s.in}
	var failed *multierror.Error
	for _, place := range places {
		if err := r.readPlace(place); err != nil {
			failed = multierror.Append(failed, err)
		}
	}
	r.setLabels()
	return r, failed.ErrorOrNil()
}

func (r *objectReader) readPlace(place string) error {
	if place == "-" {
		return r.readStream("standard input", r.stdin, false)
	}
	info, err := os.Stat(place)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return r.readFolder(place)
	default:
		return r.readFile(place, false)
	}
}

// readFolder reads every manifest below a folder.
func (r *objectReader) readFolder(folder string) error {
	var failed *multierror.Error
	files := 0
	// The separator makes a link to a folder that folder.
	err := filepath.WalkDir(folder+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) {
			return err
		}
		files++
		if err := r.readFile(path, true); err != nil {
			failed = multierror.Append(failed, err)
		}
		return nil
	})
	if err == nil && files == 0 {
		err = fmt.Errorf("%s: no .yaml, .yml or .json below it", folder)
	}
	if err != nil {
		failed = multierror.Append(failed, err)
	}
	return failed.ErrorOrNil()
}

func (r *objectReader) readFile(path string, inFolder bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.readStream(path, file, inFolder)
}

// readStream reads all documents of a stream. One of a folder that is no object is passed over: a
// chart has such files beside its manifests.
func (r *objectReader) readStream(name string, stream io.Reader, inFolder bool) error {
	var failed *multierror.Error
	err := crdcheck.EachDocument(stream, func(document []byte, line int) error {
		return r.readDocument(document, render.Position{File: name, Line: line})
	})
	for _, one := range several.Errors(err) {
		if inFolder && (errors.Is(one, errNoObject) || errors.Is(one, crdcheck.ErrNoObject)) {
			r.strange = append(r.strange, name)
			continue
		}
		failed = multierror.Append(failed, crdcheck.InFile(name, one))
	}
	return failed.ErrorOrNil()
}

func (r *objectReader) readDocument(document []byte, at render.Position) error {
	var header metav1.TypeMeta
	if err := json.Unmarshal(document, &header); err != nil || header.Kind == "" || header.APIVersion == "" {
		return errNoObject
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(document); err != nil { // whole numbers become int64, as the API server decodes them
		return err
	}
	if !u.IsList() {
		r.found = append(r.found, object{Unstructured: u, at: at})
		return nil
	}
	return u.EachListItem(func(item runtime.Object) error {
		one, isObject := item.(*unstructured.Unstructured)
		if !isObject || one.GetKind() == "" || one.GetAPIVersion() == "" {
			return fmt.Errorf("an item of a list: %w", errNoObject)
		}
		r.found = append(r.found, object{Unstructured: *one, at: at})
		return nil
	})
}

// setLabels names the objects. An object that several files have, such as the base and an overlay,
// is named with its place, so that the findings of one are not taken for those of the other.
func (r *objectReader) setLabels() {
	type identity struct{ apiVersion, label string }
	times := map[identity]int{}
	for i := range r.found {
		o := &r.found[i]
		o.label = nameOf(&o.Unstructured)
		times[identity{o.GetAPIVersion(), o.label}]++
	}
	for i := range r.found {
		o := &r.found[i]
		if times[identity{o.GetAPIVersion(), o.label}] > 1 {
			o.label = fmt.Sprintf("%s (%s:%d)", o.label, o.at.File, o.at.Line)
		}
	}
}

func nameOf(u *unstructured.Unstructured) string {
	name := u.GetName()
	if name == "" {
		name = u.GetGenerateName()
	}
	if u.GetNamespace() != "" {
		name = u.GetNamespace() + "/" + name
	}
	return u.GetKind() + " " + name
}
