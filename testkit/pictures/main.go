package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(2)
	}
}

// command draws the rows of the file args[0] into the folder args[1], and writes a page with all of
// them.
func command(args []string) error {
	if len(args) != 2 {
		return errors.New("want the JSON file of a bench and a folder")
	}
	r, err := load(args[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[1], 0o755); err != nil {
		return err
	}
	if err := drawAll(r, args[1]); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(args[1], "README.md"), []byte(table(r)), 0o644)
}
