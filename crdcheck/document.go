package crdcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
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

// InFile names the file in an error of a stream, together with the line and the document that it is
// about.
func InFile(name string, err error) error {
	var at *LoadError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: document %d: %w", name, at.Line, at.Document, at.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// ErrNoObject is the error of a document that is a list, a text or a number.
var ErrNoObject = errors.New("not an object")

// EachDocument calls add with each document of a YAML or JSON stream, as JSON, and the line that its
// content begins on, behind comments. Empty documents are passed over. What is no object is refused
// (ErrNoObject), as is an object that has a key twice: of two values one would be gone without a
// word.
//
// The error is a *multierror.Error with a *LoadError for each document that is refused, by this
// function or by add.
func EachDocument(stream io.Reader, add func(document []byte, line int) error) error {
	return eachDocument(stream, func(encoded []byte, d document) error { return add(encoded, d.firstLine()) })
}

// eachDocument is EachDocument for who needs to find more lines than the first.
func eachDocument(stream io.Reader, add func(encoded []byte, d document) error) error {
	content, err := io.ReadAll(io.LimitReader(stream, largest+1))
	if err == nil && len(content) > largest {
		err = ErrTooLarge
	}
	if err != nil {
		return err
	}
	var failed *multierror.Error
	for i, d := range documents(content) {
		encoded, err := d.asJSON()
		if err == nil && encoded != nil {
			err = add(encoded, d)
		}
		for _, err := range several.Errors(err) {
			at := &LoadError{Line: d.line, Err: err}
			_ = errors.As(err, &at) // an error that knows its line keeps it
			failed = multierror.Append(failed, &LoadError{Document: i + 1, Line: at.Line, Err: at.Err})
		}
	}
	return failed.ErrorOrNil()
}

// OneDocument returns the only document of a stream, as JSON, nil where it is empty. The error is as
// EachDocument's; a second document is one.
func OneDocument(stream io.Reader) ([]byte, error) {
	var only []byte
	err := EachDocument(stream, func(document []byte, _ int) error {
		if only != nil {
			return errors.New("a second document: only one is read")
		}
		only = document
		return nil
	})
	return only, err
}

// document is a part of a stream, and the line that it begins on.
type document struct {
	content []byte
	line    int
}

// firstLine is the line that the content begins on, behind comments and empty lines.
func (d document) firstLine() int {
	line := d.line
	for text := range bytes.Lines(d.content) {
		text = bytes.TrimSpace(text)
		if len(text) > 0 && text[0] != '#' {
			return line
		}
		line++
	}
	return line
}

// documents returns the documents of a stream.
func documents(content []byte) []document {
	var all []document
	for _, d := range split(content) {
		all = append(all, d.values()...)
	}
	return all
}

// values returns the values of a document that is a stream of JSON, as jq and several calls of
// kubectl write it, or else the document.
func (d document) values() []document {
	var (
		all     []document
		decoder = json.NewDecoder(bytes.NewReader(d.content))
	)
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		switch {
		case errors.Is(err, io.EOF) && len(all) > 0:
			return all
		case err != nil:
			return []document{d}
		}
		before := d.content[:int(decoder.InputOffset())-len(value)]
		all = append(all, document{value, d.line + bytes.Count(before, []byte{'\n'})})
	}
}

// split cuts a stream where YAML says that a document ends: at a line that begins with "---" or
// "...". What stands behind "---" in its line belongs to the next document.
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
		if rest, found := separated(content[at:end]); found {
			all = append(all, document{content[begin:at], line})
			begin, line = end, number+1
			if len(rest) > 0 {
				begin, line = end-len(rest), number
			}
		}
		at = end
	}
	return append(all, document{content[begin:], line})
}

// separated reports whether a line ends a document, and what of the line belongs to the next one.
func separated(line []byte) (rest []byte, found bool) {
	if len(line) > 3 && !bytes.ContainsRune([]byte(" \t\r\n"), rune(line[3])) {
		return nil, false
	}
	rest, found = bytes.CutPrefix(line, []byte("---"))
	if !found {
		return nil, bytes.HasPrefix(line, []byte("..."))
	}
	if text := bytes.TrimSpace(rest); len(text) == 0 || text[0] == '#' {
		return nil, true
	}
	return rest, true
}

// asJSON returns the document as JSON, nil where it is empty.
func (d document) asJSON() ([]byte, error) {
	encoded := bytes.TrimSpace(d.content)
	if json.Valid(encoded) { // YAML lacks some of JSON's escapes
		if err := repeatedInJSON(encoded); err != nil {
			return nil, err
		}
		return onlyObject(encoded)
	}
	if err := d.directive(); err != nil {
		return nil, err
	}
	if encoded, is := d.plain(); is {
		return onlyObject(encoded)
	}
	if err := repeatedInYAML(d); err != nil {
		return nil, err
	}
	encoded, err := yaml.YAMLToJSON(d.content)
	if err != nil {
		return nil, d.inStream(err)
	}
	return onlyObject(encoded)
}

// plain returns a document that is a mapping to its end and has no key twice, as JSON. It parses the
// document once; false is returned for one that must be looked at more closely.
func (d document) plain() ([]byte, bool) {
	for text := range bytes.Lines(d.content) {
		text = bytes.TrimSpace(text)
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		if !isWord(rune(text[0])) {
			return nil, false // a flow mapping may be followed by more
		}
		encoded, err := yaml.YAMLToJSONStrict(d.content)
		return encoded, err == nil
	}
	return nil, false
}

// directive returns an error where the document begins with a directive of YAML, such as "%YAML 1.2".
// kubectl refuses each, in words that do not name it.
func (d document) directive() error {
	number := d.firstLine()
	lines := bytes.SplitN(d.content, []byte("\n"), number-d.line+2)
	line := bytes.TrimSpace(bytes.TrimPrefix(lines[min(number-d.line, len(lines)-1)], []byte(byteOrderMark)))
	if !bytes.HasPrefix(line, []byte("%")) {
		return nil
	}
	return &LoadError{Line: number, Err: fmt.Errorf("%q: kubectl takes no directives of YAML: leave the line out", line)}
}

// byteOrderMark begins files of some editors.
const byteOrderMark = "\ufeff"

// onlyObject returns a value that is an object, nil for null and for nothing, and an error for all
// else.
func onlyObject(encoded []byte) ([]byte, error) {
	encoded = bytes.TrimSpace(encoded)
	if len(encoded) == 0 {
		return nil, nil
	}
	what := "a number"
	switch encoded[0] {
	case '{':
		return encoded, nil
	case 'n':
		return nil, nil
	case '[':
		what = "a list"
	case '"':
		what = "a string"
	case 't', 'f':
		what = "true or false"
	}
	return nil, fmt.Errorf("is %s, %w: %s", what, ErrNoObject, shortened(encoded))
}

// shortened returns the beginning of a value, for people.
func shortened(encoded []byte) string {
	const most = 40
	if text := []rune(string(encoded)); len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(encoded)
}

// yamlLine is how the YAML parser says where.
var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// inStream counts the parser's lines from the beginning of the stream. The error's own line is the
// first that it names.
func (d document) inStream(err error) error {
	line := 0
	text := yamlLine.ReplaceAllStringFunc(err.Error(), func(words string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(words, "line ")) // the expression matches digits
		n += d.line - 1
		if line == 0 {
			line = n
		}
		return "line " + strconv.Itoa(n)
	})
	if line == 0 {
		return err
	}
	return &LoadError{Line: line, Err: errors.New(text)}
}
