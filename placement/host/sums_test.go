package placementhost

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSums(t *testing.T) {
	one, two := strings.Repeat("0", 63)+"1", strings.Repeat("0", 63)+"2"
	dir := t.TempDir()
	cases := map[string]struct {
		reason, content string
		mode            os.FileMode // 0 means 0600
		want            map[string]string
		err             string
	}{
		"names alone": {
			reason:  "sha256sum placement-* was run in the folder",
			content: one + "  placement-a\n" + two + " *placement-b\n",
			want:    map[string]string{"placement-a": one, "placement-b": two},
		},
		"names with a dot": {
			reason:  "sha256sum ./placement-* was run in the folder, and no plugin was ever started",
			content: one + "  ./placement-a\n" + two + "  ./sub/../placement-b\n",
			want:    map[string]string{"placement-a": one, "placement-b": two},
		},
		"whole paths": {
			reason:  "sha256sum was run elsewhere with the folder's path",
			content: one + "  " + dir + "/placement-a\n",
			want:    map[string]string{"placement-a": one},
		},
		"Windows line ends": {
			reason: "the file was made elsewhere", content: one + "  placement-a\r\n\r\n",
			want: map[string]string{"placement-a": one},
		},
		"one file in two ways": {
			reason: "the same digest twice is no contradiction", content: one + "  placement-a\n" + one + "  ./placement-a\n",
			want: map[string]string{"placement-a": one},
		},
		"two digests of a file": {
			reason: "which of two contents may run is for a person to say", content: one + "  placement-a\n" + two + "  ./placement-a\n",
			err: "two digests of placement-a",
		},
		"writable by others": {
			reason: "whoever writes the digests decides what runs", content: one + "  placement-a\n", mode: 0o666,
			err: "it is writable by group or others (-rw-rw-rw-)",
		},
		"writable by the group": {
			reason: "a group is others", content: one + "  placement-a\n", mode: 0o620,
			err: "it is writable by group or others (-rw--w----)",
		},
		"readable by all": {
			reason: "digests are no secret", content: one + "  placement-a\n", mode: 0o644,
			want: map[string]string{"placement-a": one},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, SumsFile)
			write(t, path, tc.content)
			if tc.mode == 0 {
				tc.mode = 0o600
			}
			if err := os.Chmod(path, tc.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			defer os.Remove(path)
			got, err := readSums(path)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("%s: %v, want %q", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestReadSumsOfAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), SumsFile)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSums(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe that nobody writes to must not be waited for: %v", err)
	}
}

func TestReadSumsThroughALink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "elsewhere")
	write(t, target, "0  placement-a\n")
	if err := os.Chmod(target, 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, SumsFile)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if _, err := readSums(link); err == nil || !strings.Contains(err.Error(), "writable") {
		t.Errorf("the file that is read counts, not the link: %v", err)
	}
}

func TestWhyDistrusted(t *testing.T) {
	cases := map[string]struct {
		reason      string
		mode        fs.FileMode
		owner, self int
		want        string
	}{
		"our own":    {reason: "we could change the plugins as well", mode: 0o600, owner: 1000, self: 1000},
		"root's":     {reason: "root could change anything", mode: 0o644, owner: 0, self: 1000},
		"another's":  {"another user would decide what we run", 0o644, 12345, 0, "belongs to user 12345, neither root nor this process's user 0"},
		"unknown":    {"an owner that nobody knows is not trusted", 0o644, -1, 0, "belongs to user -1, neither root nor this process's user 0"},
		"a folder":   {"a folder has no digests", fs.ModeDir | 0o700, 0, 0, "is not a regular file"},
		"a pipe":     {"a pipe says something else each time", fs.ModeNamedPipe | 0o600, 0, 0, "is not a regular file"},
		"for others": {"whoever writes the digests decides what runs", 0o602, 0, 0, "is writable by group or others (-rw-----w-)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, whyDistrusted(tc.mode, tc.owner, tc.self)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
