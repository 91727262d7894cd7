package chaos

import (
	"bytes"
	"crypto/sha256"
	"fmt"
)

// pin returns digests with that of a program's content in the place of the one before.
func pin(digests []byte, name string, content []byte) []byte {
	var lines []byte
	for line := range bytes.Lines(digests) {
		if bytes.HasSuffix(bytes.TrimSpace(line), []byte("  "+name)) {
			line = fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(content), name)
		}
		lines = append(lines, line...)
	}
	return lines
}
