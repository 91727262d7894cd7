package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/pod"
)

// pulled is an image that is on the node.
type pulled struct {
	root       string
	entrypoint []string
}

// pull gets an image, and unpacks it where it is new. Pods share the root: each mounts for itself,
// and none can write.
func (n *Node) pull(ctx context.Context, reference string) (pulled, error) {
	tag, err := name.ParseReference(reference)
	if err != nil {
		return pulled{}, err
	}
	image, err := remote.Image(tag, remote.WithContext(ctx),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: goruntime.GOARCH}))
	if err != nil {
		return pulled{}, fmt.Errorf("pulling %s: %w", reference, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return pulled{}, err
	}
	if known, found := n.images[digest]; found {
		return known, nil
	}
	config, err := image.ConfigFile()
	if err != nil {
		return pulled{}, err
	}
	root, err := os.MkdirTemp(n.Folder, "image-")
	if err != nil {
		return pulled{}, err
	}
	if err := os.Chmod(root, 0o755); err != nil {
		return pulled{}, err
	}
	if err := pod.Unpack(image, root); err != nil {
		return pulled{}, err
	}
	n.images[digest] = pulled{root, config.Config.Entrypoint}
	return n.images[digest], nil
}

// mounts are the volumes of a Pod's container.
func (n *Node) mounts(ctx context.Context, of *corev1.Pod) ([]pod.Mount, error) {
	volumes := map[string]string{}
	for _, volume := range of.Spec.Volumes {
		source, err := n.volume(ctx, of, volume)
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", volume.Name, err)
		}
		volumes[volume.Name] = source
	}
	var mounts []pod.Mount
	for _, mount := range of.Spec.Containers[0].VolumeMounts {
		source := volumes[mount.Name]
		if source != "" {
			source = filepath.Join(source, mount.SubPath)
		}
		mounts = append(mounts, pod.Mount{Target: mount.MountPath, Source: source, Writable: !mount.ReadOnly})
	}
	return mounts, nil
}

// volume makes a volume, and returns its folder, or "" for an empty one.
func (n *Node) volume(ctx context.Context, of *corev1.Pod, volume corev1.Volume) (string, error) {
	switch {
	case volume.EmptyDir != nil:
		return "", nil
	case volume.Image != nil:
		image, err := n.pull(ctx, volume.Image.Reference)
		return image.root, err
	}
	at, err := folder(n.Folder, of.Name, volume.Name)
	if err != nil {
		return "", err
	}
	switch {
	case volume.ConfigMap != nil:
		return at, n.configMap(ctx, of.Namespace, volume.ConfigMap.Name, at)
	case volume.Projected != nil:
		return at, n.projected(ctx, of, volume.Projected.Sources, at)
	default:
		return "", fmt.Errorf("it is of a kind that this node does not have: %s", volume.VolumeSource.String())
	}
}

func (n *Node) configMap(ctx context.Context, namespace, name, at string) error {
	object := &corev1.ConfigMap{}
	if err := n.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		return err
	}
	for key, value := range object.Data {
		if err := write(at, key, value); err != nil {
			return err
		}
	}
	return nil
}

// projected writes what a service account's Pod is given.
func (n *Node) projected(ctx context.Context, of *corev1.Pod, sources []corev1.VolumeProjection, at string) error {
	for _, source := range sources {
		var err error
		switch {
		case source.ServiceAccountToken != nil:
			err = n.token(ctx, of, source.ServiceAccountToken, at)
		case source.ConfigMap != nil:
			err = n.configMap(ctx, of.Namespace, source.ConfigMap.Name, at)
		case source.DownwardAPI != nil:
			err = write(at, "namespace", of.Namespace)
		default:
			err = fmt.Errorf("a source that this node does not have: %s", source.String())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// token writes one that ends with the Pod.
func (n *Node) token(ctx context.Context, of *corev1.Pod, wanted *corev1.ServiceAccountTokenProjection, at string) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: wanted.ExpirationSeconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: of.Name, UID: of.UID,
		},
	}}
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = of.Namespace, of.Spec.ServiceAccountName
	if err := n.admin.SubResource("token").Create(ctx, account, request); err != nil {
		return err
	}
	return write(at, wanted.Path, request.Status.Token)
}

func write(at, name, content string) error {
	if !filepath.IsLocal(name) || strings.ContainsRune(name, filepath.Separator) {
		return fmt.Errorf("%q is no name of a file", name)
	}
	return os.WriteFile(filepath.Join(at, name), []byte(content), 0o644)
}
