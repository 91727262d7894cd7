package desired

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Kinds of image sources, as the annotation v1alpha1.AnnotationBootSourceType names them.
const (
	imageHTTP       = "http"
	imageHTTPS      = "https"
	imageRegistry   = "registry"
	imageClaim      = "pvc"
	imageDataSource = "datasource"

	registryScheme = "docker://"
)

// image is where the content of a disk comes from: one of the two. Only the remote cluster ever
// fetches it: the operator contacts no address that somebody wrote into a Machine.
type image struct {
	source *cdiv1beta1.DataVolumeSource
	ref    *cdiv1beta1.DataVolumeSourceRef
}

// imageContent is what a Machine wants on its boot disk, or in its drive to install from; nil where
// nothing.
type imageContent struct{ disk, iso *image }

// contentFor reads os.imageID and os.isoUri. An imageID that ends in .iso is installed from, too:
// the boot disk would not boot with it. What was installed needs the drive no more.
func contentFor(machine *vitistackv1alpha1.Machine) (imageContent, error) {
	if machine.Annotations[vitistackv1alpha1.AnnotationBootSource] != vitistackv1alpha1.BootSourceDataVolume {
		return imageContent{}, nil
	}
	kind := or(machine.Annotations[vitistackv1alpha1.AnnotationBootSourceType], imageHTTP)
	disk, err := imageFrom("os.imageID", kind, machine.Spec.OS.ImageID)
	if err != nil {
		return imageContent{}, err
	}
	iso, err := imageFrom("os.isoUri", imageHTTP, machine.Spec.OS.ISOUri)
	if err != nil {
		return imageContent{}, err
	}
	if disk != nil && disk.isISO() {
		if iso != nil {
			return imageContent{}, invalid("os.imageID and os.isoUri are both ISO images")
		}
		disk, iso = nil, disk
	}
	if Installed(machine) {
		iso = nil
	}
	return imageContent{disk: disk, iso: iso}, nil
}

// hasImage says whether anything but the network may put content on the boot disk. An imageID
// counts even where it is not fetched: it tells others what is there.
func hasImage(machine *vitistackv1alpha1.Machine) bool {
	fetched := machine.Annotations[vitistackv1alpha1.AnnotationBootSource] == vitistackv1alpha1.BootSourceDataVolume
	return machine.Spec.OS.ImageID != "" || fetched && machine.Spec.OS.ISOUri != ""
}

// Installed reports whether somebody said that the guest is on its disk, so that the ISO image may
// go.
func Installed(machine *vitistackv1alpha1.Machine) bool {
	return machine.Annotations[vitistackv1alpha1.AnnotationOSInstalled] == "true"
}

func (i image) isISO() bool {
	if i.source == nil || i.source.HTTP == nil {
		return false
	}
	parsed, err := url.Parse(i.source.HTTP.URL)
	name := strings.ToLower(parsed.Path)
	if slices.Contains([]string{".gz", ".xz"}, path.Ext(name)) {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	return err == nil && path.Ext(name) == ".iso"
}

// imageFrom reads the text of a field, nil where it is empty.
func imageFrom(field, kind, text string) (*image, error) {
	if text == "" {
		return nil, nil
	}
	switch kind {
	case imageHTTP, imageHTTPS:
		if err := checkURL(field, text, imageHTTP, imageHTTPS); err != nil {
			return nil, err
		}
		return &image{source: &cdiv1beta1.DataVolumeSource{HTTP: &cdiv1beta1.DataVolumeSourceHTTP{URL: text}}}, nil
	case imageRegistry:
		if !strings.Contains(text, "://") {
			text = registryScheme + text
		}
		if err := checkURL(field, text, "docker", "oci-archive"); err != nil {
			return nil, err
		}
		registry := &cdiv1beta1.DataVolumeSourceRegistry{URL: ptr.To(text)}
		return &image{source: &cdiv1beta1.DataVolumeSource{Registry: registry}}, nil
	case imageClaim, imageDataSource:
		return imageInCluster(field, kind, text)
	default:
		return nil, invalid("the annotation %s is %q, and may be http, https, registry, pvc or datasource",
			vitistackv1alpha1.AnnotationBootSourceType, kind)
	}
}

// imageInCluster reads [namespace/]name of what the remote cluster has. Whether it may be copied
// from another namespace KubeVirt decides.
func imageInCluster(field, kind, text string) (*image, error) {
	namespace, name, found := strings.Cut(text, "/")
	if !found {
		namespace, name = "", text
	}
	for _, part := range []string{or(namespace, "default"), name} {
		if problems := validation.IsDNS1123Subdomain(part); len(problems) > 0 {
			return nil, invalid("%s: want [namespace/]name of a %s, and %q is no name: %s", field, kind, part,
				strings.Join(problems, "; "))
		}
	}
	if kind == imageClaim {
		return &image{source: &cdiv1beta1.DataVolumeSource{PVC: &cdiv1beta1.DataVolumeSourcePVC{Namespace: namespace,
			Name: name}}}, nil
	}
	ref := &cdiv1beta1.DataVolumeSourceRef{Kind: "DataSource", Name: name}
	if namespace != "" {
		ref.Namespace = ptr.To(namespace)
	}
	return &image{ref: ref}, nil
}

// checkURL never repeats the URL: it may hold a password.
func checkURL(field, text string, schemes ...string) error {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" {
		return invalid("%s is not a URL with a host", field)
	}
	if !slices.Contains(schemes, parsed.Scheme) {
		return invalid("the URL in %s must begin with %s://", field, strings.Join(schemes, ":// or "))
	}
	return nil
}
