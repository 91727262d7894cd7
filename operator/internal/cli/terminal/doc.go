// Package terminal is what the commands write to. What they show comes from API servers: whoever
// may write a Machine, an Event or a virtual machine chooses words that an administrator reads. A
// control sequence in them could move his cursor, hide a line or type for him.
//
//	root.SetOut(terminal.New(os.Stdout))
//	…
//	paint := paintFor(out) // by terminal.Is(out)
//	terminal.Clear(out)
//
// A [Writer] shows control characters instead of passing them on. The colours of our own pass.
package terminal
