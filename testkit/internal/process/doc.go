// Package process runs the servers of a test cluster as child processes.
//
// A child never outlives its parent: the kernel kills it when the parent ends in whatever way, a
// panic and SIGKILL included. What a child wrote goes to a log file, and an error about it quotes
// that file's last line. Linux only.
package process
