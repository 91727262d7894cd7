package imports

import (
	"crypto/md5"  // one of those that CDI takes
	"crypto/sha1" // one of those that CDI takes
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// checksum compares the bytes that came with those that were wanted.
type checksum struct {
	hash.Hash
	algorithm, want string
}

// newChecksum reads ALGORITHM:HEX; it is nil for "".
func newChecksum(text string) (*checksum, error) {
	if text == "" {
		return nil, nil
	}
	algorithm, want, found := strings.Cut(text, ":")
	algorithms := map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
	}
	algorithm = strings.ToLower(algorithm)
	build, known := algorithms[algorithm]
	if !found || !known {
		return nil, fmt.Errorf("invalid checksum: %q", text)
	}
	return &checksum{Hash: build(), algorithm: algorithm, want: strings.ToLower(want)}, nil
}

// differs returns the failure, or nil.
func (c *checksum) differs() *Failure {
	got := hex.EncodeToString(c.Sum(nil))
	if got == c.want {
		return nil
	}
	return unprocessed(ChecksumDiffers, receiving, fmt.Errorf(
		"checksum validation failed: checksum mismatch: expected %s:%s, calculated %s:%s",
		c.algorithm, c.want, c.algorithm, got))
}
