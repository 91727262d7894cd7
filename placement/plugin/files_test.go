package plugin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// TestDirectories holds that whoever else can write a plugin's place can not have it run.
func TestDirectories(t *testing.T) {
	cases := map[string]struct {
		reason  string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"directory is missing": {
			reason:  "a plugin directory that is not mounted has no plugin",
			prepare: func(t *testing.T, dir string) { remove(t, dir) },
			want:    "no such file",
		},
		"directory is empty": {
			reason:  "a plugin directory that was mounted too early has no plugin yet",
			prepare: func(*testing.T, string) {},
			want:    "no such file",
		},
		"file is writable by the group": {
			reason:  "a file that its group can write may have been changed",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o775) },
			want:    "writable by group or others",
		},
		"file is writable by others": {
			reason:  "a file that others can write may have been changed",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o757) },
			want:    "writable by group or others",
		},
		"directory is writable by the group": {
			reason: "a directory that its group can write may have got another file",
			prepare: func(t *testing.T, dir string) {
				install(t, dir, 0o755)
				chmod(t, dir, 0o775)
			},
			want: "writable by group or others",
		},
		"folder above is writable by others": {
			reason: "who can write a folder above can put another plugin directory there",
			prepare: func(t *testing.T, dir string) {
				install(t, dir, 0o755)
				chmod(t, filepath.Dir(dir), 0o777)
			},
			want: "writable by group or others",
		},
		"file is not executable": {
			reason:  "a file without the right to run is told",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o644) },
			want:    "permission denied",
		},
		"link leaves the directory": {
			reason: "a link must not lead out of the plugin directory",
			prepare: func(t *testing.T, dir string) {
				if err := os.Symlink(filepath.Join(pluginDir, "faulty"), filepath.Join(dir, "faulty")); err != nil {
					t.Fatal(err)
				}
			},
			want: "outside of the plugin directory",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(t, entry("good"))
			opts.Dir = filepath.Join(opts.TempDir, "plugins")
			if err := os.Mkdir(opts.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
			tc.prepare(t, opts.Dir)
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			host := start(t, opts)
			err := host.WaitReady(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("\n%s\nWaitReady(): want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

// TestWhatWasCheckedRuns puts another file in the place of a plugin after its digest was checked.
// The other one says that it is another strategy.
func TestWhatWasCheckedRuns(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.Mkdir(opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, opts.Dir, 0o755)
	path := filepath.Join(opts.Dir, "faulty")
	err := plugin.StartOnce(t.Context(), opts, filepath.Join(opts.TempDir, "0"), func() {
		if err := os.WriteFile(path+".new", []byte("#!/bin/sh\nexit 7\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Errorf("the plugin that was checked did not run: %v", err)
	}
}

// TestScript runs a plugin that is a script: its interpreter reads the file that was checked.
func TestScript(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.Mkdir(opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nexec " + filepath.Join(pluginDir, "faulty") + " good good\n"
	if err := os.WriteFile(filepath.Join(opts.Dir, "faulty"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	opts.Entries[0].SHA256, opts.AllowUnpinned = "", true
	if err := start(t, opts).WaitReady(t.Context()); err != nil {
		t.Errorf("WaitReady(): %v", err)
	}
}

// TestLinkInside is how projected volumes look.
func TestLinkInside(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.MkdirAll(filepath.Join(opts.Dir, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, filepath.Join(opts.Dir, "..data"), 0o755)
	if err := os.Symlink("..data/faulty", filepath.Join(opts.Dir, "faulty")); err != nil {
		t.Fatal(err)
	}
	if err := start(t, opts).WaitReady(t.Context()); err != nil {
		t.Errorf("WaitReady(): %v", err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// install puts the executable into a directory. It is a copy, under a new name first, as an init
// container would do it.
func install(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(pluginDir, "faulty"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "faulty")
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	chmod(t, path+".new", mode)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
