// Package app is the operator as a program: its options, and the one list of what runs (addAll).
//
// It alone reads the environment and the flags of the operator. Package cli has the sub-commands;
// they take their options and their manager from here.
package app
