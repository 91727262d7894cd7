package contents

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	// SizeAnnotation on a claim, or on the DataVolume that it is made for, is the size of its content:
	// a quantity, "64Mi".
	SizeAnnotation = "agent.testkit/disk-size"
	// SourceAnnotation is CDI's, by which a claim says what kind of source it is filled from.
	SourceAnnotation = "cdi.kubevirt.io/storage.import.source"
	// EndpointAnnotation is CDI's, by which a claim says where that source is.
	EndpointAnnotation = "cdi.kubevirt.io/storage.import.endpoint"
	// Blank is the SourceAnnotation of a claim that holds nothing.
	Blank = "none"

	// defaultSize is that of a claim that does not say.
	defaultSize = 1 << 20
)

// Recipe is what the content of a disk follows from.
type Recipe struct {
	// Size is in bytes.
	Size int64
	// Seed is what the bytes follow from; "" means zeros.
	Seed string
}

// RecipeFor returns the recipe of a claim: zeros for a blank one, what follows from the address for
// one that was imported, and what follows from its UID for another. It fails where SizeAnnotation is
// not a quantity.
func RecipeFor(claim *corev1.PersistentVolumeClaim) (Recipe, error) {
	recipe := Recipe{Size: min(defaultSize, Capacity(claim)), Seed: string(claim.UID)}
	if text := claim.Annotations[SizeAnnotation]; text != "" {
		size, err := resource.ParseQuantity(text)
		if err != nil || size.Value() < 0 {
			return Recipe{}, fmt.Errorf("%s is %q, not a size", SizeAnnotation, text)
		}
		recipe.Size = size.Value()
	}
	switch endpoint := claim.Annotations[EndpointAnnotation]; {
	case claim.Annotations[SourceAnnotation] == Blank:
		recipe.Seed = ""
	case endpoint != "":
		recipe.Seed = endpoint
	}
	return recipe, nil
}

// Capacity is how many bytes a claim is said to hold.
func Capacity(claim *corev1.PersistentVolumeClaim) int64 {
	size, bound := claim.Status.Capacity[corev1.ResourceStorage]
	if !bound {
		size = claim.Spec.Resources.Requests[corev1.ResourceStorage]
	}
	return size.Value()
}

// reader returns the bytes of a recipe.
func (r Recipe) reader() io.Reader {
	if r.Seed == "" {
		return io.LimitReader(zeros{}, r.Size)
	}
	return io.LimitReader(rand.NewChaCha8(sha256.Sum256([]byte(r.Seed))), r.Size)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
