package kubeconfig

import (
	"bytes"
	"encoding/json"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"
)

// maxBytes is what the API server accepts as a Secret (1 MiB).
const maxBytes = 1 << 20

// Options loosen what Parse refuses. The zero value is the strict one.
type Options struct {
	// AllowProxy accepts proxy-url (http, https, socks5). It lets the kubeconfig's author see and
	// steer the traffic's route.
	AllowProxy bool
	// AllowInsecure accepts insecure-skip-tls-verify and plain http. Whoever sits on the wire can then
	// be the cluster.
	AllowInsecure bool
}

// Parse reads a kubeconfig in YAML or JSON. It checks the form of the whole file, and what the
// entries of current-context say (those of the only context, where current-context is unset).
// Fields that a kubeconfig does not have are ignored, as kubectl ignores them. Each error is a
// *FieldError: the first field at fault.
func Parse(data []byte, options Options) (Target, error) {
	file, err := read(data)
	if err != nil {
		return Target{}, err
	}
	cluster, user, err := selectEntries(file)
	if err != nil {
		return Target{}, err
	}
	target := Target{ServerName: cluster.TLSServerName}
	for _, step := range []func() error{
		func() error { return refuseCluster(cluster, options) },
		func() error { return refuseUser(user) },
		func() error { return target.setServer(cluster, options) },
		func() error { return target.setProxy(cluster) },
		func() error { return target.setCA(cluster) },
		func() error { return target.setCertificate(user) },
		func() error { return target.setCredential(user) },
	} {
		if err := step(); err != nil {
			return Target{}, err
		}
	}
	return target, nil
}

// read decodes a file whose form is right.
func read(data []byte) (clientcmdv1.Config, error) {
	if bytes.IndexByte(data, '\t') >= 0 && json.Valid(data) {
		// In JSON a tab stands between values alone. YAML, as which JSON is read, has no tabs there.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	root, err := document(data)
	if err != nil {
		return clientcmdv1.Config{}, err
	}
	if err := configShape.check("", root); err != nil {
		return clientcmdv1.Config{}, err
	}
	var file clientcmdv1.Config
	// This decoder is client-go's own, so that a file means here what it means there. Its errors may
	// quote the file.
	if err := yaml.Unmarshal(data, &file); err != nil {
		return clientcmdv1.Config{}, refuse("", "is neither YAML nor JSON of a kubeconfig")
	}
	switch {
	case file.Kind != "" && file.Kind != "Config":
		return clientcmdv1.Config{}, refuse("kind", "is not Config")
	case file.APIVersion != "" && file.APIVersion != "v1":
		return clientcmdv1.Config{}, refuse("apiVersion", "is not v1")
	}
	return file, nil
}
