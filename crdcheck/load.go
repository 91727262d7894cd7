package crdcheck

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// largest is how many bytes a stream may have. All definitions of a big cluster are about 20 MB.
const largest = 64 << 20

// ErrTooLarge is the error of a stream that is larger than 64 MiB.
var ErrTooLarge = fmt.Errorf("larger than %d MiB", largest>>20)

// LoadError is what is wrong with one document of a stream.
type LoadError struct {
	// Document counts from 1, Line of the stream too.
	Document, Line int
	Err            error
}

// Error returns the line, the document and what is wrong.
func (e *LoadError) Error() string {
	return fmt.Sprintf("line %d, document %d: %v", e.Line, e.Document, e.Err)
}

// Unwrap returns what is wrong.
func (e *LoadError) Unwrap() error { return e.Err }

// Load reads CRDs from a stream of YAML or JSON documents separated by "---", sorted by name. Lists
// are unpacked; documents of other kinds, and empty ones, are passed over, so that the manifests of
// a whole release can be read. It keeps the stream in memory, and reads it to its end or to 64 MiB.
//
// The error is a *multierror.Error with a *LoadError for every document that is not valid, or a CRD
// of another API version than v1, or a second one of the same name; the CRDs that could be read are
// returned beside it.
func Load(stream io.Reader) ([]apiextensionsv1.CustomResourceDefinition, error) {
	crds, _, err := LoadLines(stream)
	return crds, err
}

// LoadLines is Load, and returns for each definition, by name, the line that its document begins
// on.
func LoadLines(stream io.Reader) ([]apiextensionsv1.CustomResourceDefinition, map[string]int, error) {
	l := loader{lines: map[string]int{}}
	err := EachDocument(stream, func(document []byte, line int) error {
		l.line = line
		return l.add(document)
	})
	slices.SortFunc(l.crds, func(a, b apiextensionsv1.CustomResourceDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return l.crds, l.lines, err
}

// EachDocument calls add with each document of a YAML stream and the line that it begins on. The
// error is a *multierror.Error with a *LoadError for each call that failed; lines in errors of the
// YAML parser are those of the stream.
func EachDocument(stream io.Reader, add func(document []byte, line int) error) error {
	content, err := io.ReadAll(io.LimitReader(stream, largest+1))
	if err == nil && len(content) > largest {
		err = ErrTooLarge
	}
	if err != nil {
		return err
	}
	var failed *multierror.Error
	for i, d := range split(content) {
		for _, err := range each(add(d.content, d.line)) {
			err = inStream(err, d.line)
			failed = multierror.Append(failed, &LoadError{Document: i + 1, Line: lineOf(err, d.line), Err: err})
		}
	}
	return failed.ErrorOrNil()
}

// each returns the errors that an error is made of.
func each(err error) []error {
	var many *multierror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
		return many.Errors
	default:
		return []error{err}
	}
}

// document is a part of a stream, and the line that it begins on.
type document struct {
	content []byte
	line    int
}

func split(content []byte) []document {
	var (
		all    []document
		begin  int
		line   = 1
		number = 1
	)
	for at := 0; at < len(content); number++ {
		end := len(content)
		if i := bytes.IndexByte(content[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if separates(content[at:end]) {
			all = append(all, document{content[begin:at], line})
			begin, line = end, number+1
		}
		at = end
	}
	return append(all, document{content[begin:], line})
}

// separates reports whether a line is "---", with nothing but a comment behind it.
func separates(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

// yamlLine is how the YAML parser says where.
var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// inStream counts the parser's lines from the beginning of the stream.
func inStream(err error, begin int) error {
	text := yamlLine.ReplaceAllStringFunc(err.Error(), func(words string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(words, "line ")) // the expression matches digits
		return "line " + strconv.Itoa(n+begin-1)
	})
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// lineOf is the first line that an error names, or that on which the document begins.
func lineOf(err error, begin int) int {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		n, _ := strconv.Atoi(found[1]) // the expression matches digits
		return n
	}
	return begin
}

type loader struct {
	crds  []apiextensionsv1.CustomResourceDefinition
	lines map[string]int // by name
	line  int            // of the document that is being read
}

func (l *loader) add(document []byte) error {
	var header metav1.TypeMeta
	if len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	if err := yaml.Unmarshal(document, &header); err != nil {
		return err
	}
	switch header.Kind {
	case "CustomResourceDefinition":
		return l.addDefinition(document, header)
	case "List", "CustomResourceDefinitionList":
		return l.addList(document)
	default:
		return nil
	}
}

func (l *loader) addDefinition(document []byte, header metav1.TypeMeta) error {
	if header.APIVersion != apiextensionsv1.SchemeGroupVersion.String() {
		return fmt.Errorf(
			"apiVersion %q of a CustomResourceDefinition is not %s", header.APIVersion, apiextensionsv1.SchemeGroupVersion,
		)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(document, &crd); err != nil {
		return err
	}
	if want := crd.Spec.Names.Plural + "." + crd.Spec.Group; crd.Name != want {
		return fmt.Errorf("name %q of a CustomResourceDefinition is not %q", crd.Name, want)
	}
	if len(crd.Spec.Versions) == 0 {
		return fmt.Errorf("%s has no versions", crd.Name)
	}
	if slices.ContainsFunc(
		l.crds, func(known apiextensionsv1.CustomResourceDefinition) bool { return known.Name == crd.Name },
	) {
		return fmt.Errorf("a second definition of %s", crd.Name)
	}
	if twice := repeated(crd.Spec.Versions); twice != "" {
		return fmt.Errorf("%s has version %s twice", crd.Name, twice)
	}
	l.crds, l.lines[crd.Name] = append(l.crds, crd), l.line
	return nil
}

func (l *loader) addList(document []byte) error {
	var list struct {
		Items []runtime.RawExtension `json:"items"`
	}
	if err := yaml.Unmarshal(document, &list); err != nil {
		return err
	}
	var failed *multierror.Error
	for i, item := range list.Items {
		if err := l.add(item.Raw); err != nil {
			failed = multierror.Append(failed, fmt.Errorf("item %d: %w", i, err))
		}
	}
	return failed.ErrorOrNil()
}
