// Package exit has the exit codes of the operator and of kubectl machine. They are those of every
// program of this repository; docs/exit-codes.md is their table.
//
//	return exit.No(errors.New("the Machine has no place"))
//	…
//	os.Exit(exit.Code(err))
//
// An error that says nothing about its code is Broken: whoever forgets to say it tells nobody that
// an answer was found.
package exit

import (
	"errors"
	"fmt"
	"io"
)

// The exit codes.
const (
	// Fine: what was asked for is done, or the answer is yes.
	Fine = 0
	// Negative: the question was answered, with no, or something was found that is not well.
	Negative = 1
	// Broken: wrong arguments, or it could not be done.
	Broken = 2
	// Partial: nothing bad was found, but not everything could be looked at.
	Partial = 3
)

// coded is an error with its exit code.
type coded struct {
	error
	code int
}

// Unwrap returns the error.
func (c coded) Unwrap() error { return c.error }

// told is an error about which everything is on the screen already.
type told struct{ coded }

// No is an answer: what was asked is not so. nil stays nil.
func No(err error) error { return with(err, Negative) }

// Incomplete is half an answer: err is why the rest is missing. nil stays nil.
func Incomplete(err error) error { return with(err, Partial) }

func with(err error, code int) error {
	if err == nil {
		return nil
	}
	return coded{error: err, code: code}
}

// Told is err with a code, where its text is on the screen already. nil stays nil.
func Told(err error, code int) error {
	if err == nil {
		return nil
	}
	return told{coded{error: err, code: code}}
}

// Said ends a program with a code and without another word. Fine is nil.
func Said(code int) error {
	if code == Fine {
		return nil
	}
	return Told(fmt.Errorf("exit code %d", code), code)
}

// Code returns the exit code of a program that ends with err.
func Code(err error) int {
	if err == nil {
		return Fine
	}
	if silent, is := errors.AsType[told](err); is {
		return silent.code
	}
	if with, is := errors.AsType[coded](err); is {
		return with.code
	}
	return Broken
}

// Report writes what is left to say about an error, on a line of its own, and returns the exit
// code.
func Report(out io.Writer, program string, err error) int {
	if text := Text(err); text != "" {
		fmt.Fprintln(out, program+":", text)
	}
	return Code(err)
}

// Text is what is left to say about an error: "" where all was said.
func Text(err error) string {
	if err == nil {
		return ""
	}
	if _, silent := errors.AsType[told](err); silent {
		return ""
	}
	return err.Error()
}
