package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
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
	err := crdcheck.EachDocument(stream, func(document []byte, line int) error {
		err := r.readDocument(document, render.Position{File: name, Line: firstLine(document, line)})
		if inFolder && errors.Is(err, errNoObject) {
			r.strange = append(r.strange, name)
			return nil
		}
		return err
	})
	return inFile(name, err)
}

// inFile names the file in each of the errors of a stream.
func inFile(name string, err error) error {
	var many *multierror.Error
	if !errors.As(err, &many) {
		return multierror.Prefix(err, name+":")
	}
	for i, one := range many.Errors {
		many.Errors[i] = fmt.Errorf("%s: %w", name, one)
		var at *crdcheck.LoadError
		if errors.As(one, &at) {
			many.Errors[i] = fmt.Errorf("%s:%d: document %d: %w", name, at.Line, at.Document, at.Err)
		}
	}
	return many
}

// firstLine is the line on which the content of a document begins, behind comments and empty lines.
func firstLine(document []byte, line int) int {
	for text := range bytes.Lines(document) {
		text = bytes.TrimSpace(text)
		if len(text) > 0 && text[0] != '#' {
			return line
		}
		line++
	}
	return line
}

func (r *objectReader) readDocument(document []byte, at render.Position) error {
	encoded, err := toJSON(document)
	if err != nil || bytes.Equal(bytes.TrimSpace(encoded), []byte("null")) {
		return err
	}
	var header metav1.TypeMeta
	if err := json.Unmarshal(encoded, &header); err != nil || header.Kind == "" || header.APIVersion == "" {
		return errNoObject
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(encoded); err != nil { // whole numbers become int64, as the API server decodes them
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

// toJSON returns a document of YAML or JSON as JSON. A key that is there twice is an error: the
// parser would keep the last one alone.
func toJSON(document []byte) ([]byte, error) {
	if json.Valid(document) {
		return document, nil // YAML takes no tabs
	}
	encoded, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	return encoded, nil
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
