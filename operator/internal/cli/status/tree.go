package status

import (
	"io"
	"os"
	"strings"

	"github.com/fatih/color"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// node is a line with what belongs to it.
type node struct {
	text     string
	children []*node
}

// add puts a line below a node, and returns it. A line break in the text would begin a line that
// looks as if it were another node's.
func (n *node) add(text string) *node {
	child := &node{text: strings.ReplaceAll(text, "\n", " ")}
	n.children = append(n.children, child)
	return child
}

// draw writes a node and what is below it.
func (n *node) draw(out io.Writer) error {
	var text strings.Builder
	text.WriteString(n.text + "\n")
	n.below(&text, "")
	_, err := io.WriteString(out, text.String())
	return err
}

func (n *node) below(text *strings.Builder, indent string) {
	for i, child := range n.children {
		branch, next := "├─ ", "│  "
		if i == len(n.children)-1 {
			branch, next = "└─ ", "   "
		}
		text.WriteString(indent + branch + child.text + "\n")
		child.below(text, indent+next)
	}
}

// paint colours words. Without colour it changes nothing.
type paint struct{ on bool }

// paintFor colours on a terminal, unless NO_COLOR is set (https://no-color.org).
func paintFor(out io.Writer) paint {
	return paint{on: terminal.Is(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p paint) with(text string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	c.DisableColor()
	if p.on {
		c.EnableColor()
	}
	return c.Sprint(text)
}

func (p paint) good(text string) string  { return p.with(text, color.FgGreen) }
func (p paint) bad(text string) string   { return p.with(text, color.FgRed) }
func (p paint) maybe(text string) string { return p.with(text, color.FgYellow) }
func (p paint) title(text string) string { return p.with(text, color.Bold) }
func (p paint) faint(text string) string { return p.with(text, color.Faint) }
