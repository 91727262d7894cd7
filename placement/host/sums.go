package placementhost

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"
)

// SumsFile has the digests of the plugins in their folder, as sha256sum writes them.
const SumsFile = "SHA256SUMS"

// readSums reads digests by file name, relative to the folder of the file. It refuses a file that
// others can change, because whoever writes digests decides which programs run.
func readSums(path string) (map[string]string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would never open
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat() // of what is read, wherever a symbolic link leads by now
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if problem := whyDistrusted(info.Mode(), ownerOf(info), os.Geteuid()); problem != "" {
		return nil, fmt.Errorf("reading %s: it %s", path, problem)
	}
	sums := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		sum, name, found := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if !found || strings.ContainsFunc(sum, unicode.IsSpace) {
			continue
		}
		name = nameIn(filepath.Dir(path), strings.TrimLeft(name, " *"))
		if former, twice := sums[name]; twice && former != sum {
			return nil, fmt.Errorf("reading %s: it has two digests of %s", path, name)
		}
		sums[name] = sum
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return sums, nil
}

// nameIn returns a file's name relative to the folder, however sha256sum was asked for it:
// "placement-zone", "./placement-zone", or by its whole path.
func nameIn(dir, name string) string {
	if relative, err := filepath.Rel(dir, name); err == nil && filepath.IsAbs(name) {
		return relative
	}
	return filepath.Clean(name)
}

// whyDistrusted returns why a file's content may be somebody else's, or "".
func whyDistrusted(mode fs.FileMode, owner, self int) string {
	switch {
	case !mode.IsRegular():
		return "is not a regular file"
	case mode.Perm()&0o022 != 0:
		return fmt.Sprintf("is writable by group or others (%v)", mode.Perm())
	case owner != 0 && owner != self:
		return fmt.Sprintf("belongs to user %d, neither root nor this process's user %d", owner, self)
	}
	return ""
}

// ownerOf returns a file's owner, -1 where the system does not say.
func ownerOf(info fs.FileInfo) int {
	if stat, known := info.Sys().(*syscall.Stat_t); known {
		return int(stat.Uid)
	}
	return -1
}
