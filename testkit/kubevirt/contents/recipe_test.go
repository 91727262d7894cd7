package contents_test

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

func TestRecipeFor(t *testing.T) {
	const url = "docker://registry.example/debian"
	cases := map[string]struct {
		reason      string
		size        string
		annotations map[string]string
		want        contents.Recipe
		refused     bool
	}{
		"plain": {
			reason: "a claim that nothing fills differs from all others",
			size:   "10Gi",
			want:   contents.Recipe{Size: 1 << 20, Seed: "uid"},
		},
		"imported": {
			reason:      "the same image is the same disk",
			size:        "10Gi",
			annotations: map[string]string{contents.SourceAnnotation: "registry", contents.EndpointAnnotation: url},
			want:        contents.Recipe{Size: 1 << 20, Seed: url},
		},
		"blank": {
			reason:      "nothing is in a blank disk",
			size:        "10Gi",
			annotations: map[string]string{contents.SourceAnnotation: contents.Blank},
			want:        contents.Recipe{Size: 1 << 20},
		},
		"small": {
			reason: "a disk is not bigger than its claim",
			size:   "1Ki",
			want:   contents.Recipe{Size: 1 << 10, Seed: "uid"},
		},
		"big": {
			reason:      "a test may want more",
			size:        "10Gi",
			annotations: map[string]string{contents.SizeAnnotation: "64Mi"},
			want:        contents.Recipe{Size: 64 << 20, Seed: "uid"},
		},
		"no size": {
			reason:      "a typing error is told",
			size:        "10Gi",
			annotations: map[string]string{contents.SizeAnnotation: "much"},
			refused:     true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{UID: "uid", Annotations: tc.annotations}}
			claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(tc.size)}
			got, err := contents.RecipeFor(claim)
			if got != tc.want || (err != nil) != tc.refused {
				t.Errorf("%s: %+v, %v", tc.reason, got, err)
			}
		})
	}
}

// TestMakeOnce: those who look at a disk at the same time see one, which nobody makes anew.
func TestMakeOnce(t *testing.T) {
	store, err := contents.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	recipe := contents.Recipe{Size: 4096, Seed: "uid"}
	var looking sync.WaitGroup
	for range 8 {
		looking.Go(func() {
			disk, err := store.Make("uid", recipe)
			if err == nil {
				_, err = disk.WriteAt([]byte{1}, 0)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	looking.Wait()
	disk, err := store.Make("uid", recipe)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := disk.ReadAt(first, 0); err != nil || first[0] != 1 {
		t.Errorf("the disk begins with %d, not with the 1 that was written: %v", first[0], err)
	}
	if err := store.Remove("uid"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(disk.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed disk is there: %v", err)
	}
}

// TestDraft: a disk that is being written is in nobody's way, and nothing is left of one that is
// dropped.
func TestDraft(t *testing.T) {
	dir := t.TempDir()
	store, err := contents.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, err := store.Make("uid", contents.Recipe{Size: 4096})
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []bool{false, true} {
		draft, err := store.Draft("uid")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := draft.WriteString("new"); err != nil {
			t.Fatal(err)
		}
		if keep {
			if _, err := draft.Keep(); err != nil {
				t.Fatal(err)
			}
		}
		draft.Drop()
		size, err := before.Size()
		if want := map[bool]int64{false: 4096, true: 3}[keep]; size != want || err != nil {
			t.Errorf("kept: %t: the disk has %d bytes, not %d: %v", keep, size, want, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v is left: %v", entries, err)
	}
}
