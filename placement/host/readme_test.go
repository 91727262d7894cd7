package placementhost

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestReadmeConfigurationsRun brings up what the two configurations of the README of placement
// name, with the program of the quick start. They once gave it a configuration, which it refuses.
func TestReadmeConfigurationsRun(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := yamlBlock.FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has %d blocks of YAML, want 2", len(blocks))
	}
	dir, digest := quickStart(t)
	socket := servedSocket(t)
	cases := map[string]struct {
		reason  string
		content string
		want    string
	}{
		"quick start": {
			reason:  "the entry of the quick start is one of a list, and its plugin comes up",
			content: "strategies:\n" + blocks[0][1],
			want:    "zone Ready",
		},
		"operator's configuration": {
			reason:  "each entry of the configuration that the README explains comes up",
			content: blocks[1][1],
			want:    "annotation Ready, labels Ready, zone Ready, mine Ready",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "placement.yaml")
			write(t, file, strings.NewReplacer(
				"6f2a…", digest, "/run/placement/mine.sock", socket, "65532", strconv.Itoa(os.Geteuid()),
			).Replace(tc.content))
			host, err := New(Source{Dir: dir, File: file}, Options{})
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			defer func() { _ = host.Close() }()
			if err := host.Open(t.Context()); err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			var got []string
			for _, status := range host.Status() {
				got = append(got, strings.TrimSpace(status.Name+" "+string(status.State)+" "+status.Reason))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRelativePaths brings plugins up where each path is relative: folder and file to the working
// directory of the start, a socket to the file. It once said "no such file" of a plugin that was
// there. The digests name the plugins by their whole paths, as sha256sum does when asked so.
func TestRelativePaths(t *testing.T) {
	dir, digest := quickStart(t)
	socket := servedSocket(t)
	sums := filepath.Join(dir, SumsFile)
	content, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	write(t, sums, strings.ReplaceAll(string(content), "  ", "  "+dir+"/")+digest+"  ./placement-zone\n")
	conf := filepath.Join(filepath.Dir(socket), "conf")
	if err := os.Mkdir(conf, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(conf, "placement.yaml"),
		"strategies: [{name: annotation}, {name: zone, path: ./placement-zone}, {name: mine, socket: ../s}]")
	t.Chdir(conf)
	relative, err := filepath.Rel(conf, dir)
	if err != nil {
		t.Fatal(err)
	}
	host, err := New(Source{Dir: relative, File: "placement.yaml"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Close() }()
	t.Chdir("/") // what was given is what the folder of the start made of it
	if err := host.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, status := range host.Status() {
		if status.State != plugin.Ready {
			t.Errorf("%s is %s: %s", status.Name, status.State, status.Reason)
		}
	}
	if entries, err := host.source.Entries(); err != nil || len(entries) != 3 {
		t.Errorf("the files are not found again after another working directory: %v", err)
	}
}

// quickStart is a plugin directory with two of our plugins and the one of the quick start, whose
// digest it returns.
func quickStart(t *testing.T) (dir, digest string) {
	t.Helper()
	dir = t.TempDir()
	var sums strings.Builder
	for _, name := range []string{"placement-annotation", "placement-labels"} {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(filepath.Join(builtPlugins(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o700); err != nil {
			t.Fatal(err)
		}
		sum, err := plugin.Digest(path)
		if err != nil {
			t.Fatal(err)
		}
		sums.WriteString(sum + "  " + name + "\n")
	}
	write(t, filepath.Join(dir, SumsFile), sums.String())
	if _, err := os.ReadFile("../examples/zone/main.go"); err != nil { // so that a change of it is not answered from the cache
		t.Fatal(err)
	}
	zone := filepath.Join(dir, "placement-zone")
	build := exec.CommandContext(
		t.Context(), "go", "build", "-trimpath", "-o", zone,
		"github.com/vitistack/kubevirt-multicluster/placement/examples/zone",
	)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the quick start: %v\n%s", err, out)
	}
	for _, path := range []string{dir, zone} { // whatever the umask
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := plugin.Digest(zone)
	if err != nil {
		t.Fatal(err)
	}
	return dir, digest
}

// servedSocket is the socket of a side-car that serves the strategy mine until the test ends.
func servedSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mine-") // short: a socket's path has some 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	mine := placement.NewFunc("mine", placement.Needs{},
		func(context.Context, placement.Request) (placement.Decision, error) { return placement.Decision{}, nil })
	go func() { ended <- plugin.ServeSocket(ctx, socket, mine, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(time.Minute); !exists(socket); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the side-car does not listen")
		}
	}
	return socket
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
