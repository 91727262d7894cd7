package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// errMissing is the error of what a commit does not have.
var errMissing = errors.New("is not in the commit")

// batch is a git program that is asked for one object after the other.
type batch struct {
	program   *exec.Cmd
	questions io.WriteCloser
	answers   *bufio.Reader
	complaint bytes.Buffer
}

// object is what git keeps under an id: a file's content, a link's target, or what is in a folder.
type object struct {
	id      string
	content []byte
}

func startBatch(ctx context.Context) (*batch, error) {
	b := &batch{program: exec.CommandContext(ctx, "git", "cat-file", "--batch")}
	b.program.Stderr = &b.complaint
	questions, err := b.program.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := b.program.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.questions, b.answers = questions, bufio.NewReader(answers)
	return b, b.program.Start()
}

// ask returns an object by a name that git knows: an id or REF^{tree}.
func (b *batch) ask(name string) (object, error) {
	if _, err := fmt.Fprintln(b.questions, name); err != nil {
		return object{}, b.broken(err)
	}
	header, err := b.answers.ReadString('\n')
	if err != nil {
		return object{}, b.broken(err)
	}
	header = strings.TrimSuffix(header, "\n")
	if strings.HasSuffix(header, " missing") {
		return object{}, errMissing
	}
	words := strings.Fields(header)
	if len(words) != 3 { // ID KIND SIZE
		return object{}, fmt.Errorf("git: %s", header)
	}
	size, err := strconv.Atoi(words[2])
	if err != nil {
		return object{}, fmt.Errorf("git: %s", header)
	}
	content := make([]byte, size+1) // a line break follows
	if _, err := io.ReadFull(b.answers, content); err != nil {
		return object{}, b.broken(err)
	}
	return object{id: words[0], content: content[:size]}, nil
}

// broken returns why the program ended.
func (b *batch) broken(err error) error {
	_ = b.questions.Close()
	if ended := b.program.Wait(); ended != nil {
		err = ended
	}
	return fmt.Errorf("git: %w: %s", err, strings.TrimSpace(b.complaint.String()))
}

// close ends the program.
func (b *batch) close() {
	_ = b.questions.Close()
	_ = b.program.Wait() // every answer was read, or its error returned
}
