package clusters

import "strings"

// called is what people call a cluster: a noun and a name.
type called struct{ noun, name string }

func (c called) String() string { return c.noun + " " + c.name }

// sentence names the cluster in a text that does not do so itself. That a text has the noun is not
// enough: "another cluster answers" names none.
func (c called) sentence(text string) string {
	if strings.Contains(text, c.String()) {
		return text
	}
	return c.String() + ": " + text
}

// error is a ConnectionError without an age.
func (c called) error(reason error, text string) *ConnectionError {
	return &ConnectionError{Config: c.name, Reason: reason, Message: c.sentence(text)}
}
