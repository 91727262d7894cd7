package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Filter chooses calls. Each field that is set must fit; the zero Filter takes every call.
type Filter struct {
	// User is the caller's whole name, for example fleet.OperatorUser.
	User string
	// Since and Until bound when the API server got the request: not before Since, and before Until.
	Since, Until time.Time
	// Verb, Resource, Namespace and Name must be equal.
	Verb, Resource, Namespace, Name string
	// Writes takes calls alone that ask for a change.
	Writes bool
	// But leaves out calls of these resources, for example events and leases.
	But []string
}

// Matches says whether the filter takes a call.
func (f Filter) Matches(c Call) bool {
	for _, part := range [][2]string{
		{f.User, c.User}, {f.Verb, c.Verb}, {f.Resource, c.Resource},
		{f.Namespace, c.Namespace}, {f.Name, c.Name},
	} {
		if part[0] != "" && part[0] != part[1] {
			return false
		}
	}
	for _, resource := range f.But {
		if resource == c.Resource {
			return false
		}
	}
	early := !f.Since.IsZero() && c.Received.Before(f.Since)
	late := !f.Until.IsZero() && !c.Received.Before(f.Until)
	return !early && !late && (c.Writes() || !f.Writes)
}

// Read returns the calls of an audit log that a filter takes, in the order of their answers. It
// reads the whole file. A last line that is still being written is left out; any other line that is
// no event of an audit log is an error.
func Read(path string, filter Filter) ([]Call, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	calls, err := parse(file, filter)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return calls, nil
}

// ReadAll does the same with the logs of several clusters, one after the other.
func ReadAll(paths []string, filter Filter) ([]Call, error) {
	var all []Call
	for _, path := range paths {
		calls, err := Read(path, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, calls...)
	}
	return all, nil
}

// event is a line of an audit log, as far as it is read here.
type event struct {
	AuditID    string
	Stage      string
	Verb       string
	RequestURI string
	User       struct{ Username string }
	ObjectRef  struct {
		APIGroup, Resource, Subresource, Namespace, Name string
	}
	ResponseStatus           struct{ Code int }
	RequestReceivedTimestamp time.Time
	StageTimestamp           time.Time
	Annotations              map[string]string
}

// parse reads line by line.
func parse(from io.Reader, filter Filter) ([]Call, error) {
	var calls []Call
	watches := map[string]bool{}
	lines := bufio.NewReader(from)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return calls, nil // what comes after the last line's end is not complete
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		call, isCall, err := parseLine(line, watches)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if isCall && filter.Matches(call) {
			calls = append(calls, call)
		}
	}
}

func (e event) call() Call {
	return Call{
		User: e.User.Username, Verb: e.Verb, URI: e.RequestURI, Code: e.ResponseStatus.Code,
		Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource, Subresource: e.ObjectRef.Subresource,
		Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
		Received: e.RequestReceivedTimestamp, Answered: e.StageTimestamp, Annotations: e.Annotations,
	}
}
