package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
)

// Help says how places are written.
const Help = `a file, a folder (every .yaml, .yml and .json below it), "-" for standard input,
git:REF:PATH for a commit of the repository around the working folder, PATH from its top (./PATH: from this folder),
kube:CONTEXT for a cluster (kube: for the current context),
configs:NAMESPACE for every remote cluster that has a KubevirtConfig in this namespace of the current context's cluster`

// Set is what one place holds: the definitions themselves, or, of a cluster that could not be read,
// why.
type Set struct {
	// Name is the cluster's, or the place as it was written.
	Name string
	// CRDs are sorted by name.
	CRDs []apiextensionsv1.CustomResourceDefinition
	// Unknown says why the cluster could not be read; "" where it was.
	Unknown string
	// At says where each definition was read, by its name, for places in files.
	At map[string]Position
	// Others are how many objects of other kinds were passed over in files, by kind. An empty List
	// is one too: a list that has items is unpacked.
	Others map[string]int
	// Dropped are the keys of definitions in files that no API server knows.
	Dropped []DroppedKey
}

// DroppedKey is a key of a definition that the API server drops, such as one that is spelt wrong.
type DroppedKey struct {
	// CRD is the definition's name, Key the path in the definition.
	CRD, Key string
	At       Position
}

// Position is a place in a file.
type Position struct {
	File string
	Line int // from 1
}

// Snapshot returns what the set says about a cluster of its name.
func (s Set) Snapshot() crdcheck.Snapshot {
	if s.Unknown != "" {
		return crdcheck.Unobserved(s.Name, s.Unknown)
	}
	return crdcheck.Observed(s.Name, s.CRDs...)
}

// Options say how places are read. The zero value works.
type Options struct {
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Kubeconfig is a file; "" means as kubectl: $KUBECONFIG, then ~/.kube/config.
	Kubeconfig string
	// Names are the definitions to read from clusters; nil means all.
	Names []string
	// Progress is called when something that may take long begins. nil means never.
	Progress func(what string)
}

func (o Options) progress(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// Read reads the definitions of one place: one set, or several for configs:. An error means that
// the place is not there or not what it should be; of files it is a *multierror.Error, each error
// with file and line. Files without any definition are an error, unless an empty List says that this
// is meant. A cluster that does not answer, or refuses, is no error but a set that says
// so.
func Read(ctx context.Context, place string, options Options) ([]Set, error) {
	scheme, rest, _ := strings.Cut(place, ":")
	switch {
	case place == "":
		return nil, errors.New("an empty place")
	case place == "-":
		return one(readStream("standard input", options.Stdin))
	case scheme == "git":
		options.progress("reading %s", place)
		return one(readGit(ctx, place, rest))
	case scheme == "kube":
		return one(readContext(ctx, place, rest, options))
	case scheme == "configs":
		return readConfigs(ctx, rest, options)
	default:
		options.progress("reading %s", place)
		return one(readPath(place))
	}
}

func one(s Set, err error) ([]Set, error) {
	meant := s.Others["List"]+s.Others["CustomResourceDefinitionList"] > 0
	if err == nil && s.Unknown == "" && s.At != nil && len(s.CRDs) == 0 && !meant {
		err = fmt.Errorf("no CustomResourceDefinition in %s: %s", s.Name, cmp.Or(Kinds(s.Others), "it is empty"))
	}
	return []Set{s}, err
}

// Kinds says how many objects there are of each kind, "" for none.
func Kinds(counts map[string]int) string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[kind], cmp.Or(kind, "without a kind")))
	}
	return strings.Join(all, ", ")
}

// files returns an empty set of a place in files.
func files(place string) Set {
	return Set{Name: place, At: map[string]Position{}, Others: map[string]int{}}
}

// readStream reads one stream of documents; errors name it.
func readStream(name string, stream io.Reader) (Set, error) {
	s := files(name)
	err := s.add(name, stream)
	return s, err
}

// add reads one more file into the set.
func (s *Set) add(file string, stream io.Reader) error {
	if stream == nil {
		return fmt.Errorf("%s: nothing to read", file)
	}
	read, err := crdcheck.LoadStream(stream)
	var failed *multierror.Error
	for _, err := range several.Errors(err) {
		failed = multierror.Append(failed, crdcheck.InFile(file, err))
	}
	for kind, count := range read.Others {
		s.Others[kind] += count
	}
	for _, dropped := range read.Dropped {
		s.Dropped = append(s.Dropped, DroppedKey{dropped.CRD, dropped.Key, Position{file, dropped.Line}})
	}
	for _, crd := range read.CRDs {
		if at, twice := s.At[crd.Name]; twice {
			failed = multierror.Append(
				failed,
				fmt.Errorf(
					"%s:%d: a second definition of %s, the first is in %s:%d",
					file,
					read.Lines[crd.Name],
					crd.Name,
					at.File,
					at.Line,
				),
			)
			continue
		}
		s.At[crd.Name] = Position{File: file, Line: read.Lines[crd.Name]}
		s.CRDs = append(s.CRDs, crd)
	}
	return failed.ErrorOrNil()
}

// unknown is the set of a cluster that could not be read.
func unknown(name string, err error) Set { return Set{Name: name, Unknown: observe.Reason(err)} }
