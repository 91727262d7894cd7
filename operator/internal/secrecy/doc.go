// Package secrecy tells whether a text repeats what is in a Secret, however that is encoded, and
// keeps such a text from people.
//
//	if secrecy.Quotes(message, secret.Data["userdata"]) { … }
//	remote.Writer = secrecy.Client(connection)
//
// An admission webhook, a policy or a quota of a remote cluster may repeat the object that it
// refuses. The server's own words go into conditions, Events, logs and the Fleet page, which many
// people read who may not read the Secret. [Client] leaves those words out where they repeat
// something of it.
//
// The package is pure but for [Client], which does no I/O of its own.
package secrecy
