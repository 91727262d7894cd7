package image

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const source = "https://github.com/vitistack/kubevirt-multicluster"

// Options say what an image is built from.
type Options struct {
	// Version is the operator's, for example v0.1.0.
	Version string
	// Revision is the commit, in hexadecimal. Default: not said.
	Revision string
	// Created is the time of everything in the image: that of the commit. It counts in seconds.
	Created time.Time
	// Programs are those of each architecture, as Go calls it: amd64, arm64.
	Programs map[string]Programs
}

// An Image is an index of one image for each architecture, each with its software bill of
// materials.
type Image struct {
	// Index is what a tag points to.
	Index v1.ImageIndex
	// Materials are the bills of materials, as SPDX in JSON, by architecture.
	Materials map[string][]byte

	bills []v1.Image // artifacts whose subjects are the images of Index
}

// Build builds an image in memory. It fails if a program is missing, is for another architecture or
// is not static.
func Build(options Options) (*Image, error) {
	if options.Version == "" || len(options.Programs) == 0 {
		return nil, errors.New("an image needs a version and programs")
	}
	options.Created = options.Created.UTC().Truncate(time.Second)
	built := &Image{
		Index:     mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		Materials: map[string][]byte{},
	}
	for _, architecture := range slices.Sorted(maps.Keys(options.Programs)) {
		if err := built.add(options, architecture); err != nil {
			return nil, fmt.Errorf("image for %s: %w", architecture, err)
		}
	}
	annotated, ok := mutate.Annotations(built.Index, options.labels()).(v1.ImageIndex)
	if !ok {
		return nil, errors.New("an annotated index is no index")
	}
	built.Index = annotated
	return built, nil
}

// add builds the image of one architecture, and its bill of materials.
func (i *Image) add(options Options, architecture string) error {
	one, err := platform(options, architecture)
	if err != nil {
		return err
	}
	i.Index = mutate.AppendManifests(i.Index, mutate.IndexAddendum{Add: one,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	text, err := billOf(options, architecture, one)
	if err != nil {
		return err
	}
	i.Materials[architecture] = text
	artifact, err := attached(text, one)
	i.bills = append(i.bills, artifact)
	return err
}

func platform(options Options, architecture string) (v1.Image, error) {
	programs := options.Programs[architecture]
	plugins, err := programs.check(architecture)
	if err != nil {
		return nil, err
	}
	pluginEntries, err := pluginFiles(plugins)
	if err != nil {
		return nil, err
	}
	operator, err := operatorFile(programs.Operator)
	if err != nil {
		return nil, err
	}
	one := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, part := range []struct {
		what    string
		entries []entry
	}{{"users and certificates", base()}, {"placement plugins", pluginEntries}, {"operator", operator}} {
		packed, err := layer(part.entries, options.Created)
		if err != nil {
			return nil, err
		}
		one, err = mutate.Append(one, mutate.Addendum{Layer: packed, MediaType: types.OCILayer,
			History: v1.History{Created: v1.Time{Time: options.Created}, CreatedBy: part.what}})
		if err != nil {
			return nil, err
		}
	}
	config, err := one.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Architecture, config.OS, config.Created = architecture, "linux", v1.Time{Time: options.Created}
	user := strconv.Itoa(User)
	config.Config = v1.Config{User: user + ":" + user, Entrypoint: []string{"/operator"}, WorkingDir: "/",
		Labels: options.labels()}
	one, err = mutate.ConfigFile(one, config)
	if err != nil {
		return nil, err
	}
	annotated, ok := mutate.Annotations(one, options.labels()).(v1.Image)
	if !ok {
		return nil, errors.New("an annotated image is no image")
	}
	return annotated, nil
}

// labels are those that the OCI gives names to. They are annotations of the manifests, too.
func (o Options) labels() map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "kubevirt-operator",
		"org.opencontainers.image.description": "Turns Machines into virtual machines in many KubeVirt clusters",
		"org.opencontainers.image.source":      source,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     o.Version,
		"org.opencontainers.image.created":     o.Created.Format(time.RFC3339),
	}
	if o.Revision != "" {
		labels["org.opencontainers.image.revision"] = o.Revision
	}
	return labels
}
