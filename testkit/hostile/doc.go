// Package hostile has API servers that do harm: they send without end, bombs, other objects than
// were asked for, pages that quote the request, and lies about who they are. A Server is tame until
// it is told otherwise, for one of the steps of a client's life.
//
// It is for tests of what talks to servers that it does not trust. Nothing of it is random.
package hostile
