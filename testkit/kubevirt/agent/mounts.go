package agent

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

// mounted are the Secrets that a Pod mounts, by the folder that it has them in.
func mounted(pod *corev1.Pod) map[string]string {
	secrets := map[string]string{}
	for _, volume := range pod.Spec.Volumes {
		for _, mount := range pod.Spec.Containers[0].VolumeMounts {
			if volume.Secret != nil && mount.Name == volume.Name {
				secrets[mount.MountPath] = volume.Secret.SecretName
			}
		}
	}
	return secrets
}

// files are what a Pod mounts of Secrets, by their paths; nil where one is not there.
func (s *servers) files(ctx context.Context, pod *corev1.Pod) (map[string][]byte, error) {
	files := map[string][]byte{}
	for folder, name := range mounted(pod) {
		secret := &corev1.Secret{}
		if err := s.live.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, secret); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		for key, value := range secret.Data {
			files[filepath.Join(folder, key)] = value
		}
	}
	return files, nil
}

// env is the environment of a Pod's container, with the paths that its mounts have on this machine;
// nil where a claim is not bound.
func (s *servers) env(ctx context.Context, pod *corev1.Pod, dir string) ([]string, error) {
	disks, err := s.disks(ctx, pod)
	if err != nil || disks == nil {
		return nil, err
	}
	folders := mounted(pod)
	env := []string{"POD_NAME=" + pod.Name}
	for _, variable := range pod.Spec.Containers[0].Env {
		value := variable.Value
		if disk, isDisk := disks[value]; isDisk {
			value = disk
		} else if _, isFile := folders[filepath.Dir(value)]; isFile && strings.HasSuffix(variable.Name, "_FILE") {
			value = filepath.Join(dir, value)
		}
		if variable.ValueFrom == nil {
			env = append(env, variable.Name+"="+value)
		}
	}
	return env, nil
}

// disks are the files of the disks that a Pod has as devices, and the folders of those that it
// mounts, by the paths in its container; nil where a claim is not bound.
func (s *servers) disks(ctx context.Context, pod *corev1.Pod) (map[string]string, error) {
	container, disks := pod.Spec.Containers[0], map[string]string{}
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		disk, err := s.disk(ctx, pod.Namespace, volume.PersistentVolumeClaim.ClaimName)
		if errors.Is(err, errNotBound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, device := range container.VolumeDevices {
			if device.Name == volume.Name {
				disks[device.DevicePath] = disk.Path()
			}
		}
		for _, mount := range container.VolumeMounts {
			if mount.Name == volume.Name {
				disks[mount.MountPath] = disk.Dir()
			}
		}
	}
	return disks, nil
}

func (s *servers) disk(ctx context.Context, namespace, name string) (contents.Disk, error) {
	claim := &corev1.PersistentVolumeClaim{}
	if err := s.cached.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, claim); err != nil {
		return contents.Disk{}, err
	}
	if claim.Status.Phase != corev1.ClaimBound {
		return contents.Disk{}, errNotBound
	}
	return diskOf(s.contents, claim)
}

// errNotBound is why a Pod cannot mount its claims yet.
var errNotBound = errors.New("a claim is not bound")

// diskOf returns the content of a claim.
func diskOf(store *contents.Store, claim *corev1.PersistentVolumeClaim) (contents.Disk, error) {
	recipe, err := contents.RecipeFor(claim)
	if err != nil {
		return contents.Disk{}, fmt.Errorf("disk of claim %s: %w", claim.Name, err)
	}
	return store.Make(claim.UID, recipe)
}
