package main

import (
	"fmt"
	"io"
	"strings"
)

// screen shows pictures: each over the one before, or each that differs below it.
type screen struct {
	out    io.Writer
	redraw bool

	last  string
	lines int
}

// draw shows a picture, unless it is the same as the last.
func (s *screen) draw(picture string) {
	if picture == s.last {
		return
	}
	s.last = picture
	if !s.redraw {
		fmt.Fprintf(s.out, "\n%s", picture)
		return
	}
	if s.lines > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.lines)
	}
	// A line longer than the terminal would take two and spoil the count: the terminal cuts it.
	fmt.Fprint(s.out, "\x1b[?7l", picture, "\x1b[?7h")
	s.lines = strings.Count(picture, "\n")
}
