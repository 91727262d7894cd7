package differential

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// build builds a program as it is released, without the race detector, and returns its file.
func build(t testing.TB, dir, program string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), filepath.Base(program))
	command := exec.Command("go", "build", "-trimpath", "-o", file, program)
	command.Dir, command.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v: %s", program, err, output)
	}
	return file
}

// answer is what a program said.
type answer struct {
	code        int
	out, errors string
	memory      int64         // bytes that were resident at most
	took, busy  time.Duration // by the clock, and by the processor
}

// ask runs a program through a small process of its own: Linux takes the memory of the process that
// starts another one for that one's own.
func ask(t testing.TB, program string, arguments ...string) answer {
	t.Helper()
	var out, complaints bytes.Buffer
	file := filepath.Join(t.TempDir(), "measured")
	command := exec.CommandContext(t.Context(), os.Args[0], append([]string{program}, arguments...)...)
	command.Env = append(os.Environ(), measures+"="+file)
	command.Stdout, command.Stderr = &out, &complaints
	began := time.Now()
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	a := answer{
		code: command.ProcessState.ExitCode(), out: out.String(), errors: complaints.String(), took: time.Since(began),
	}
	measured, err := os.ReadFile(file)
	if err == nil {
		_, err = fmt.Sscan(string(measured), &a.memory, &a.busy)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, a.errors)
	}
	return a
}

// measures is the variable that makes this program run another one: the file to write what that one
// used into.
const measures = "DIFFERENTIAL_MEASURES"

func TestMain(m *testing.M) {
	if file := os.Getenv(measures); file != "" {
		os.Exit(measure(file, os.Args[1], os.Args[2:]...))
	}
	os.Exit(m.Run())
}

// measure runs a program, writes the memory and the time that it used, and returns its exit code.
func measure(file, program string, arguments ...string) int {
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	_ = command.Run() // its exit code says it
	ended := command.ProcessState
	used := fmt.Sprintln(resident(ended), int64(ended.UserTime()+ended.SystemTime()))
	if err := os.WriteFile(file, []byte(used), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return ended.ExitCode()
}

// place lays the definitions of a release into a folder as its project wrote them.
func place(t testing.TB, r release) string {
	t.Helper()
	folder := t.TempDir()
	if r.files == "" {
		for _, definition := range definitions(t, r) {
			write(t, folder, definition)
		}
		return folder
	}
	dir, err := download(r)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filesOf(r, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Symlink(file, filepath.Join(folder, filepath.Base(file))); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// nothing writes a place that is meant to be empty.
func nothing(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nothing.yaml")
	if err := os.WriteFile(file, []byte("{apiVersion: v1, kind: List, items: []}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// refused are the projects whose definitions no API server takes as they lie in their repository,
// and what it says.
var refused = map[string]string{
	"cert-manager": "metadata.labels: Invalid value: ", // templates of a chart
}

// TestServersTakeThem compares each release with nothing, and with the release before it, by the
// program, which holds what differs against the API server's own validation. Every definition is
// taken, and what is told is what the library finds.
func TestServersTakeThem(t *testing.T) {
	program, empty := build(t, "..", "./cmd/crdcheck"), nothing(t)
	pairs(t) // all are read at once
	for _, project := range slices.Sorted(maps.Keys(projects)) {
		t.Run(project, func(t *testing.T) {
			t.Parallel()
			releases := projects[project]
			before := ""
			for i, r := range releases {
				now := place(t, r)
				known := definitions(t, r)
				checkTaken(t, project, ask(t, program, "compare", "-q", "-o", "json", empty, now), len(known))
				if before != "" {
					told := ask(t, program, "compare", "-q", "-o", "json", "--profile", "strict", before, now)
					report := crdcheck.Compare(
						snapshot(t, releases[i-1]), snapshot(t, r),
						crdcheck.Options{Directions: crdcheck.ProfileStrict.Directions()},
					)
					checkTaken(t, project, told, len(crdcheck.Groups(report.Findings)))
				}
				before = now
			}
		})
	}
}

// checkTaken reads what the program answered: this many findings, or the refusal that is known.
func checkTaken(t *testing.T, project string, a answer, findings int) {
	t.Helper()
	if reason, is := refused[project]; is && a.code == 2 {
		for line := range strings.Lines(a.errors) {
			if !strings.Contains(line, reason) {
				t.Errorf("refused for another reason: %s", line)
			}
		}
		return
	} else if is {
		t.Errorf("is taken now, with exit code %d", a.code)
	}
	if a.code > 1 || a.errors != "" {
		t.Fatalf("exit code %d: %s", a.code, a.errors)
	}
	var document struct {
		Findings []struct{ CRD string }
	}
	if err := json.Unmarshal([]byte(a.out), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Findings) != findings {
		t.Errorf("the program tells of %d findings, the library of %d", len(document.Findings), findings)
	}
}
