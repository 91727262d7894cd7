package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
)

var root = filepath.Join("..", "..", "..")

// created is a time of a commit.
var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// compiled are the programs for both architectures, which are built once.
var compiled map[string]image.Programs

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	native, err := image.Compile(ctx, root, goruntime.GOARCH, filepath.Join(folder, goruntime.GOARCH))
	if err != nil {
		return 1, err
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[goruntime.GOARCH]
	foreign, err := standIn(ctx, other, filepath.Join(folder, other))
	if err != nil {
		return 1, err
	}
	compiled = map[string]image.Programs{goruntime.GOARCH: native, other: foreign}
	return m.Run(), nil
}

// standIn has the plugins of an architecture, and one of them in the operator's place too: for
// another machine's Kubernetes libraries the compiler needs minutes.
func standIn(ctx context.Context, architecture, folder string) (image.Programs, error) {
	programs := image.Programs{Operator: filepath.Join(folder, "operator"), Plugins: filepath.Join(folder, "plugins")}
	if err := os.MkdirAll(programs.Plugins, 0o755); err != nil {
		return programs, err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
		"-o", programs.Plugins+"/", "./placement-plugins/cmd/...")
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOWORK=")
	if output, err := command.CombinedOutput(); err != nil {
		return programs, fmt.Errorf("building plugins for %s: %w: %s", architecture, err, output)
	}
	return programs, os.Link(filepath.Join(programs.Plugins, "placement-single"), programs.Operator)
}

func options() image.Options {
	return image.Options{Version: "v0.1.0", Revision: "0123abcd", Created: created, Programs: compiled}
}

// build builds once, because packing takes seconds.
var build = sync.OnceValues(func() (*image.Image, error) { return image.Build(options()) })

func built(t *testing.T) *image.Image {
	t.Helper()
	made, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// served is the host of a registry, which ends with the test.
func served(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// A file is what an image says about one, and its content.
type file struct {
	mode     int64
	uid, gid int
	modified time.Time
	content  []byte
}

// files are those of an image, by path.
func files(t *testing.T, one v1.Image) map[string]file {
	t.Helper()
	content := mutate.Extract(one)
	defer content.Close()
	all := map[string]file{}
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := io.Copy(&text, archive); err != nil {
			t.Fatal(err)
		}
		all[header.Name] = file{header.Mode, header.Uid, header.Gid, header.ModTime.UTC(), text.Bytes()}
	}
}
