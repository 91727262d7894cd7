package image_test

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	imagename "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
)

// TestSameBytes builds twice: from other folders, with files of other times and modes.
func TestSameBytes(t *testing.T) {
	first, err := built(t).Digest()
	if err != nil {
		t.Fatal(err)
	}
	other := options()
	other.Programs = map[string]image.Programs{}
	for architecture, programs := range compiled {
		folder := t.TempDir()
		if err := os.CopyFS(filepath.Join(folder, "elsewhere"), os.DirFS(programs.Plugins)); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(programs.Operator)
		if err != nil {
			t.Fatal(err)
		}
		moved := image.Programs{Operator: filepath.Join(folder, "operator"), Plugins: filepath.Join(folder, "elsewhere")}
		if err := os.WriteFile(moved.Operator, content, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(moved.Operator, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		other.Programs[architecture] = moved
	}
	second, err := image.Build(other)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Digest(); err != nil || got != first {
		t.Errorf("the digest is %s first, and then %s: %v", first, got, err)
	}
	other.Created = other.Created.Add(time.Second)
	third, err := image.Build(other)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := third.Digest(); err != nil || got == first {
		t.Errorf("an image of another commit has the same digest, so the test above proves nothing: %v", err)
	}
}

// TestContents looks at all files of each platform's image.
func TestContents(t *testing.T) {
	for architecture, one := range images(t, built(t).Index) {
		all := files(t, one)
		wanted := map[string]int64{
			"etc": 0o755, "etc/ssl": 0o755, "etc/ssl/certs": 0o755, "tmp": 0o1777, "plugins": 0o755,
			"etc/passwd": 0o444, "etc/group": 0o444, "etc/ssl/certs/ca-certificates.crt": 0o444,
			"operator": 0o555, "plugins/SHA256SUMS": 0o444,
		}
		plugins, err := filepath.Glob(filepath.Join(root, "placement-plugins", "cmd", "placement-*"))
		if err != nil || len(plugins) < 7 {
			t.Fatalf("%d plugins: %v", len(plugins), err)
		}
		var sums strings.Builder
		for _, plugin := range plugins {
			path := "plugins/" + filepath.Base(plugin)
			wanted[path] = 0o555
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(all[path].content), filepath.Base(plugin))
		}
		got := map[string]int64{}
		for path, f := range all {
			got[path] = f.mode
			if f.uid != 0 || f.gid != 0 || !f.modified.Equal(created) {
				t.Errorf("%s: %s belongs to %d:%d and is of %s", architecture, path, f.uid, f.gid, f.modified)
			}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s: modes -want +got:\n%s", architecture, diff)
		}
		if diff := cmp.Diff(sums.String(), string(all["plugins/SHA256SUMS"].content)); diff != "" {
			t.Errorf("%s: SHA256SUMS -want +got:\n%s", architecture, diff)
		}
		if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(all["etc/ssl/certs/ca-certificates.crt"].content) {
			t.Errorf("%s: there are no certificates", architecture)
		}
	}
}

// TestConfiguration: what a runtime and a registry read of the image.
func TestConfiguration(t *testing.T) {
	for architecture, one := range images(t, built(t).Index) {
		config, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Architecture != architecture || config.OS != "linux" || !config.Created.Equal(created) {
			t.Errorf("%s: %s/%s of %s", architecture, config.OS, config.Architecture, config.Created)
		}
		if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/operator"}) {
			t.Errorf("%s: user %s, entry point %v", architecture, config.Config.User, config.Config.Entrypoint)
		}
		manifest, err := one.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"org.opencontainers.image.version":  "v0.1.0",
			"org.opencontainers.image.revision": "0123abcd",
			"org.opencontainers.image.created":  "2026-01-02T03:04:05Z",
			"org.opencontainers.image.licenses": "Apache-2.0",
		} {
			if config.Config.Labels[key] != want || manifest.Annotations[key] != want {
				t.Errorf("%s: %s is %q and %q, want %q", architecture, key, config.Config.Labels[key], manifest.Annotations[key], want)
			}
		}
		if len(config.History) != len(manifest.Layers) {
			t.Errorf("%s: %d layers, and a history of %d", architecture, len(manifest.Layers), len(config.History))
		}
	}
}

// TestPush pushes to a registry and pulls from it.
func TestPush(t *testing.T) {
	reference := served(t) + "/kubevirt-operator:v0.1.0"
	made := built(t)
	digest, err := made.Push(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := imagename.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(tag, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Error(err)
	}
	if got, err := pulled.Digest(); err != nil || got.String() != digest {
		t.Errorf("pushed %s, pulled %s: %v", digest, got, err)
	}
	for architecture, one := range images(t, pulled) {
		of, err := one.Digest()
		if err != nil {
			t.Fatal(err)
		}
		referrers, err := remote.Referrers(tag.Context().Digest(of.String()), remote.WithContext(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := referrers.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Manifests) != 1 || manifest.Manifests[0].ArtifactType != image.MaterialsType {
			t.Errorf("%s: the referrers are %+v", architecture, manifest.Manifests)
		}
	}
	if _, err := made.Push(t.Context(), "Not A Reference"); err == nil {
		t.Error("pushed to no registry")
	}
}

// TestWrite writes a layout that can be read again.
func TestWrite(t *testing.T) {
	folder := t.TempDir()
	made := built(t)
	for range 2 { // a folder that is there already is written anew
		if err := made.Write(folder); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(folder, "oci"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	want, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 3 || manifest.Manifests[0].Digest != want {
		t.Errorf("the layout has %d manifests, the first is %s, want %s", len(manifest.Manifests),
			manifest.Manifests[0].Digest, want)
	}
	for architecture, bill := range made.Materials {
		got, err := os.ReadFile(filepath.Join(folder, architecture+".spdx.json"))
		if err != nil || string(got) != string(bill) {
			t.Errorf("the bill of materials for %s is another one: %v", architecture, err)
		}
	}
}

// TestRefused: an image that could not run is not made.
func TestRefused(t *testing.T) {
	empty := t.TempDir()
	cases := map[string]struct {
		reason string
		change func(options *image.Options)
		want   string
	}{
		"NoVersion": {
			reason: "An image without a version is one that nobody can name.",
			change: func(options *image.Options) { options.Version = "" },
			want:   "needs a version",
		},
		"OtherArchitecture": {
			reason: "The kernel of a node would refuse it, long after it was pushed.",
			change: func(options *image.Options) {
				options.Programs = map[string]image.Programs{"arm64": compiled["amd64"]}
			},
			want: "is for x86_64, not for aarch64",
		},
		"NoPlugins": {
			reason: "Without a strategy no Machine is ever placed.",
			change: func(options *image.Options) {
				options.Programs = map[string]image.Programs{"amd64": {Operator: compiled["amd64"].Operator, Plugins: empty}}
			},
			want: "no plugins",
		},
		"NoOperator": {
			reason: "An image without its program is none.",
			change: func(options *image.Options) {
				options.Programs = map[string]image.Programs{"amd64": {Operator: "/nothing", Plugins: compiled["amd64"].Plugins}}
			},
			want: "no such file",
		},
		"Dynamic": {
			reason: "The image has no libraries that such a program could load.",
			change: func(options *image.Options) {
				options.Programs = map[string]image.Programs{"amd64": {Operator: "/bin/sh", Plugins: compiled["amd64"].Plugins}}
			},
			want: "linked dynamically",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			given := options()
			tc.change(&given)
			_, err := image.Build(given)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s Want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
	if _, err := image.Compile(t.Context(), root, "riscv64", t.TempDir()); err == nil {
		t.Error("programs are built for an architecture that no image is made for")
	}
}

// images are those of an index, by architecture.
func images(t *testing.T, index v1.ImageIndex) map[string]v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]v1.Image{}
	for _, descriptor := range manifest.Manifests {
		one, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		all[descriptor.Platform.Architecture] = one
	}
	if len(all) != 2 {
		t.Fatalf("the index has %d images, want those for amd64 and arm64", len(all))
	}
	return all
}
