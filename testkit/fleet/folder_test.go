package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolderKeepsWhatIsNotTheFleets is about a person's own files: they outlive the fleet, wherever
// they came from.
func TestFolderKeepsWhatIsNotTheFleets(t *testing.T) {
	cases := map[string]struct {
		reason  string
		prepare func(t *testing.T, dir string)
		during  func(t *testing.T, dir string)
		want    string
	}{
		"Made": {
			reason: "a folder that the fleet made goes with it", want: "absent",
		},
		"MadeAndUsed": {
			reason: "a snapshot that was saved beside the fleet's files was lost with the folder",
			during: func(t *testing.T, dir string) { write(t, filepath.Join(dir, "snapshot.db"), "mine") },
			want:   "snapshot.db",
		},
		"Existing": {
			reason:  "an empty folder of somebody's stays",
			prepare: func(t *testing.T, dir string) { mkdir(t, dir) },
		},
		"ExistingWithFiles": {
			reason:  "so do the files in it",
			prepare: func(t *testing.T, dir string) { mkdir(t, dir); write(t, filepath.Join(dir, "notes.txt"), "mine") },
			want:    "notes.txt",
		},
		"AfterAPowerCut": {
			reason: "what a fleet left that ended together with its janitor does not stop the next one",
			prepare: func(t *testing.T, dir string) {
				mkdir(t, filepath.Join(dir, "clusters"))
				write(t, filepath.Join(dir, lockFile), "1234567890\n")
				write(t, filepath.Join(dir, "clusters", "old"), "old")
				write(t, filepath.Join(dir, "cluster-9.kubeconfig"), "old")
				write(t, filepath.Join(dir, "notes.txt"), "mine")
			},
			during: func(t *testing.T, dir string) {
				if got := entries(t, dir); got != lockFile+" notes.txt" {
					t.Errorf("the fleet starts with %q", got)
				}
			},
			want: "notes.txt",
		},
		"EmptyLock": {
			reason:  "a start that was killed before it had written anything leaves an empty lock file",
			prepare: func(t *testing.T, dir string) { mkdir(t, dir); write(t, filepath.Join(dir, lockFile), "") },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a folder; with 'odd' $characters", strings.Repeat("deep/", 40))
			dir = filepath.Clean(dir)
			if tc.prepare != nil {
				tc.prepare(t, dir)
			}
			f, err := openFolder(t.Context(), dir)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if tc.during != nil {
				tc.during(t, dir)
			}
			if err := f.write(f.kubeconfig(Supervisor), []byte("ours")); err != nil {
				t.Error(err)
			}
			for range 2 {
				if err := f.close(); err != nil {
					t.Error(err)
				}
			}
			if got := entries(t, dir); got != tc.want {
				t.Errorf("\n%s\nthe folder holds %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestOwner(t *testing.T) {
	dir := t.TempDir()
	check := func(when string, want int) {
		t.Helper()
		if got, err := Owner(dir); got != want || err != nil {
			t.Errorf("%s: Owner() = %d, %v, want %d", when, got, err, want)
		}
	}
	check("before", 0)
	f, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	check("during", os.Getpid())
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	check("after", 0)
	write(t, filepath.Join(dir, lockFile), fmt.Sprintln(os.Getpid()))
	check("with a lock that nobody holds", 0)
}

// TestFolderIsFreeWhenItIsCleared is about the moment between a fleet's violent end and the end of
// its janitor's work: a fleet that began then lost its files to that janitor.
func TestFolderIsFreeWhenItIsCleared(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves: its id in the lock file, a lock that the janitor alone holds, and
	// a janitor at work.
	if err := f.lock.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.lock.WriteAt([]byte("1999999999\n"), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.lock.Close(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 3*pollInterval)
	defer cancel()
	if _, err := openFolder(short, dir); err == nil {
		t.Fatal("the folder was taken while it was being cleared")
	}
	if err := f.janitor.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.close(); err != nil {
		t.Error(err)
	}
}

// TestOneOfManyTakesTheFolder lets many start at once, again and again, while one is looked for and
// another ends.
func TestOneOfManyTakesTheFolder(t *testing.T) {
	dir := t.TempDir()
	for range 20 {
		won := make(chan *folder, 8)
		for range cap(won) {
			go func() {
				f, _ := openFolder(t.Context(), dir)
				won <- f
			}()
		}
		var winners []*folder
		for range cap(won) {
			if f := <-won; f != nil {
				winners = append(winners, f)
			}
			if _, err := Owner(dir); err != nil {
				t.Error(err)
			}
		}
		if len(winners) != 1 {
			t.Fatalf("%d took the folder", len(winners))
		}
		if err := winners[0].close(); err != nil {
			t.Fatal(err)
		}
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
