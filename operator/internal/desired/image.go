package desired

import (
	"net/url"
	"strings"

	"k8s.io/utils/ptr"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// Kinds of image sources, as the annotation v1alpha1.AnnotationBootSourceType names them.
const (
	imageHTTP     = "http"
	imageHTTPS    = "https"
	imageRegistry = "registry"

	registryScheme = "docker://"
)

// imageSource is where the content of the boot disk comes from, nil where the Machine asks for none. Only the remote cluster ever
// fetches it: the operator contacts no address that somebody wrote into a Machine.
func imageSource(machine *vitistackv1alpha1.Machine) (*cdiv1beta1.DataVolumeSource, error) {
	image := machine.Spec.OS.ImageID
	if image == "" || machine.Annotations[vitistackv1alpha1.AnnotationBootSource] != vitistackv1alpha1.BootSourceDataVolume {
		return nil, nil
	}
	switch kind := or(machine.Annotations[vitistackv1alpha1.AnnotationBootSourceType], imageHTTP); kind {
	case imageHTTP, imageHTTPS:
		if err := checkURL(image, imageHTTP, imageHTTPS); err != nil {
			return nil, err
		}
		return &cdiv1beta1.DataVolumeSource{HTTP: &cdiv1beta1.DataVolumeSourceHTTP{URL: image}}, nil
	case imageRegistry:
		if !strings.Contains(image, "://") {
			image = registryScheme + image
		}
		if err := checkURL(image, "docker", "oci-archive"); err != nil {
			return nil, err
		}
		return &cdiv1beta1.DataVolumeSource{Registry: &cdiv1beta1.DataVolumeSourceRegistry{URL: ptr.To(image)}}, nil
	default:
		return nil, invalid("the annotation %s is %q, and may be %s, %s or %s", vitistackv1alpha1.AnnotationBootSourceType, kind, imageHTTP, imageHTTPS, imageRegistry)
	}
}

// checkURL never repeats the URL: it may hold a password.
func checkURL(image string, schemes ...string) error {
	parsed, err := url.Parse(image)
	if err != nil || parsed.Host == "" {
		return invalid("os.imageID is not a URL with a host")
	}
	for _, scheme := range schemes {
		if parsed.Scheme == scheme {
			return nil
		}
	}
	return invalid("the URL in os.imageID must begin with %s://", strings.Join(schemes, ":// or "))
}
