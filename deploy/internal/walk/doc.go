// Package walk does what the pages of deploy/docs say, command by command, as somebody would who
// has nothing but them: on real API servers, with helm and kubectl, in a copy of the repository. Its
// tests have all the code.
package walk
