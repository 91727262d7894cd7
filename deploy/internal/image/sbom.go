package image

import (
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/materials"
)

// MaterialsType is the media type of a bill of materials.
const MaterialsType = "application/spdx+json"

// billOf is the bill of materials of the image of an architecture.
func billOf(options Options, architecture string, one v1.Image) ([]byte, error) {
	digest, err := one.Digest()
	if err != nil {
		return nil, err
	}
	programs := options.Programs[architecture]
	plugins, err := programs.check(architecture)
	if err != nil {
		return nil, err
	}
	return materials.Bill(materials.Subject{
		Identifier: "Image", Name: "kubevirt-operator", Platform: "linux-" + architecture, Version: options.Version,
		Purpose: "CONTAINER", SHA256: digest.Hex, Created: options.Created,
	}, append([]string{programs.Operator}, plugins...))
}

// attached is the artifact that carries a bill of materials to where the image is, as a referrer of
// it.
func attached(bill []byte, one v1.Image) (v1.Image, error) {
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), MaterialsType)
	artifact, err := mutate.Append(artifact, mutate.Addendum{Layer: static.NewLayer(bill, MaterialsType)})
	if err != nil {
		return nil, err
	}
	subject, err := partial.Descriptor(one)
	if err != nil {
		return nil, err
	}
	referring, ok := mutate.Subject(artifact, *subject).(v1.Image)
	if !ok {
		return nil, errors.New("an artifact with a subject is no image")
	}
	return referring, nil
}
