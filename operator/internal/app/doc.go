// Package app is the operator as a program: its options, and the one list of what runs.
//
// It alone reads flags and the environment.
package app
