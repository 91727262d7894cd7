package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	imagename "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push pushes the image to a registry, for example registry.example.com/kubevirt-operator:v0.1.0,
// with the bills of materials as its referrers. Credentials are those of the user's Docker
// configuration. It returns the digest, sha256:….
func (i *Image) Push(ctx context.Context, reference string) (string, error) {
	tag, err := imagename.ParseReference(reference)
	if err != nil {
		return "", err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(tag, i.Index, options...); err != nil {
		return "", fmt.Errorf("pushing %s: %w", reference, err)
	}
	for _, bill := range i.bills {
		digest, err := bill.Digest()
		if err != nil {
			return "", err
		}
		if err := remote.Write(tag.Context().Digest(digest.String()), bill, options...); err != nil {
			return "", fmt.Errorf("pushing the bill of materials of %s: %w", reference, err)
		}
	}
	digest, err := i.Index.Digest()
	return digest.String(), err
}

// Write writes the image as an OCI layout into a folder, which other tools push and copy, and each
// bill of materials beside it as ARCHITECTURE.spdx.json.
func (i *Image) Write(folder string) error {
	path, err := layout.Write(filepath.Join(folder, "oci"), empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(i.Index); err != nil {
		return err
	}
	for _, bill := range i.bills {
		if err := path.AppendImage(bill); err != nil {
			return err
		}
	}
	for architecture, bill := range i.Materials {
		if err := os.WriteFile(filepath.Join(folder, architecture+".spdx.json"), bill, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Digest is that of the index, sha256:….
func (i *Image) Digest() (v1.Hash, error) { return i.Index.Digest() }
