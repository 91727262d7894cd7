package plugin

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
)

// owned is a file or folder of a user.
type owned struct {
	user uint32
	mode fs.FileMode
}

func (o owned) Name() string       { return "it" }
func (o owned) Size() int64        { return 0 }
func (o owned) Mode() fs.FileMode  { return o.mode }
func (o owned) ModTime() time.Time { return time.Time{} }
func (o owned) IsDir() bool        { return o.mode.IsDir() }
func (o owned) Sys() any           { return &syscall.Stat_t{Uid: o.user} }

func TestTrusted(t *testing.T) {
	const host = 1000
	cases := map[string]struct {
		reason string
		file   owned
		want   string // "" for trusted
	}{
		"file of root": {
			reason: "the files of an image belong to root and are trusted",
			file:   owned{user: 0, mode: 0o555},
		},
		"file of the host": {
			reason: "the host's own user can change the host as well, so its files are trusted",
			file:   owned{user: host, mode: 0o755},
		},
		"file of another user": {
			reason: "the owner of a file can write it whatever its mode says",
			file:   owned{user: 12345, mode: 0o555},
			want:   "belongs to user 12345",
		},
		"folder of another user": {
			reason: "the owner of a folder can put another file there",
			file:   owned{user: 12345, mode: fs.ModeDir | 0o755},
			want:   "belongs to user 12345",
		},
		"file for its group": {
			reason: "a file that its group can write may have been changed",
			file:   owned{user: 0, mode: 0o775},
			want:   "writable by group or others",
		},
		"folder for all": {
			reason: "a folder that all can write may have got another file",
			file:   owned{user: 0, mode: fs.ModeDir | 0o777},
			want:   "writable by group or others",
		},
		"folder for all, sticky": {
			reason: "in a folder such as /tmp nobody can replace the files of others",
			file:   owned{user: 0, mode: fs.ModeDir | fs.ModeSticky | 0o777},
		},
		"sticky folder of the host": {
			reason: "only root's sticky folders are taken for what they are",
			file:   owned{user: host, mode: fs.ModeDir | fs.ModeSticky | 0o777},
			want:   "writable by group or others",
		},
		"sticky file for all": {
			reason: "the sticky bit of a file keeps nobody from writing it",
			file:   owned{user: 0, mode: fs.ModeSticky | 0o777},
			want:   "writable by group or others",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := trusted("it", tc.file, host)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("\n%s\ntrusted(): want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}
