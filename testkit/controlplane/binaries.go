package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
)

// KubernetesVersion is the release that `make tools` builds from testkit/programs/kubernetes.
const KubernetesVersion = "v1.37.2"

// programs is what a control plane is made of.
var programs = []string{"etcd", "etcdctl", "etcdutl", "kube-apiserver", "kube-controller-manager"}

// Binaries gives the path of each program of a control plane, by its name.
type Binaries map[string]string

// FindBinaries looks for each program in the folder that KUBEBUILDER_ASSETS names, where that is
// set, and then in the cache that `make tools` fills. It fails if one is in neither.
func FindBinaries() (Binaries, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	dirs := []string{filepath.Join(cache, "kubernetes-"+KubernetesVersion)}
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		dirs = []string{assets, dirs[0]}
	}
	found := Binaries{}
	for _, name := range programs {
		path, err := LookUp(name, dirs...)
		if err != nil {
			return nil, err
		}
		found[name] = path
	}
	return found, nil
}

// LookUp returns the path of program name in the first of dirs that has it. The error names the
// program and says how to get it.
func LookUp(name string, dirs ...string) (string, error) {
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is missing in %s: run `make tools`", name, dirs[len(dirs)-1])
}

// CacheDir is where `make tools` keeps what it built, outside the repository:
// KUBEVIRT_MULTICLUSTER_CACHE, else the folder kubevirt-multicluster in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("KUBEVIRT_MULTICLUSTER_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache folder: %w", err)
	}
	return filepath.Join(dir, "kubevirt-multicluster"), nil
}
