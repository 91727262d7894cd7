package plugin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
)

const (
	// maxLineBytes is how much of one log line of a plugin is passed on.
	maxLineBytes = 4096
	// maxRecordBytes is how much of one line is read as a record with attributes.
	maxRecordBytes = 64 << 10
	// maxAttributes is how many attributes of one record are passed on.
	maxAttributes = 32
	// attributePrefix begins the names of a plugin's attributes in the host's log, so that none can
	// pass for the host's own.
	attributePrefix = "plugin."
)

// A record is one line of a plugin's log.
type record struct {
	level      hclog.Level
	message    string
	attributes []any // names and values
}

// follow passes on what the plugin writes to standard error, until it ends. go-plugin has a reader
// of its own, which a line like {"@message":1} ends together with the host.
func (l *hostLog) follow(stderr io.Reader) {
	lines := bufio.NewReaderSize(stderr, maxRecordBytes)
	panicked, goesOn := false, false
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		text := string(line)
		parse := parseRecord
		if more || goesOn {
			parse = parseText
		}
		goesOn = more
		panicked = panicked || strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")
		l.pass(func() record {
			r := parse(text)
			if panicked && r.attributes == nil {
				r.level = hclog.Error
			}
			return r
		})
	}
}

// parseRecord reads a line as newLogHandler writes it. Everything else is text.
func parseRecord(line string) record {
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return parseText(line)
	}
	message, hasMessage := fields["@message"].(string)
	name, _ := fields["@level"].(string)
	level := hclog.LevelFromString(name)
	if !hasMessage || level == hclog.NoLevel {
		return parseText(line)
	}
	for _, known := range []string{"@message", "@level", "@timestamp"} { // the host's log has a time of its own
		delete(fields, known)
	}
	return record{level: level, message: message, attributes: attributes(fields)}
}

// parseText reads a line that has no more than a level before it.
func parseText(line string) record {
	for _, level := range []hclog.Level{hclog.Trace, hclog.Info, hclog.Warn, hclog.Error} {
		if strings.HasPrefix(line, "["+strings.ToUpper(level.String())+"]") {
			return record{level: level, message: line}
		}
	}
	return record{level: hclog.Debug, message: line}
}

// attributes are the fields by name, in the form that the host's log may have.
func attributes(fields map[string]any) []any {
	all := make([]any, 0, 2*len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(all) == 2*maxAttributes {
			return append(all, "more", len(fields)-maxAttributes)
		}
		all = append(all, attributePrefix+cut(plain(name), 64), loggable(fields[name]))
	}
	return all
}

// loggable is a value that has no text of the plugin's but a plain one.
func loggable(value any) any {
	switch value := value.(type) {
	case nil, bool, float64, int, int64:
		return value
	case string:
		return clip(value)
	case map[string]any, []any:
		text, err := json.Marshal(value)
		if err != nil {
			return clip(err.Error())
		}
		return clip(string(text))
	default:
		return clip(fmt.Sprint(value))
	}
}
