package kubevirt

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

const (
	virtAPI        = "virt-api"
	virtController = "virt-controller"
	loopback       = "127.0.0.1"
	// launcherImage and exporterImage are named in Pods and never pulled.
	launcherImage = "registry.example/kubevirt/virt-launcher:" + KubeVirtVersion
	exporterImage = "registry.example/kubevirt/virt-exportserver:" + KubeVirtVersion
)

// apiMemory lets virt-api collect garbage seldom, up to a size: it makes a gigabyte of garbage when
// it starts, and keeps little.
var apiMemory = []string{"GOGC=400", "GOMEMLIMIT=224MiB"}

func (s *Stack) apiSpec() process.Spec {
	file := func(name string) string { return s.identity.file(virtAPI, name) }
	spec := s.spec(virtAPI, s.options.Binaries.API, s.ports.api.Number,
		"--tls-cert-file="+file("serving.crt"),
		"--tls-key-file="+file("serving.key"),
		"--handler-cert-file="+file("client.crt"),
		"--handler-key-file="+file("client.key"),
		"--console-server-port="+strconv.Itoa(s.ports.handler.Number),
	)
	spec.Env = append(os.Environ(), apiMemory...)
	spec.Env = append(spec.Env, "TMPDIR="+filepath.Dir(file("serving.crt"))) // it leaves a folder behind each time
	return spec
}

func (s *Stack) controllerSpec() process.Spec {
	spec := s.spec(virtController, s.options.Binaries.Controller, s.ports.controller.Number,
		"--prom-cert-file="+s.identity.file(virtController, "serving.crt"),
		"--prom-key-file="+s.identity.file(virtController, "serving.key"),
		"--launcher-image="+launcherImage,
		"--exporter-image="+exporterImage,
	)
	spec.Env = append(os.Environ(), "EXPORT_CA_DIR="+s.identity.exportCADir())
	return spec
}

func (s *Stack) spec(name, path string, port int, args ...string) process.Spec {
	return process.Spec{
		Name: s.cluster.Name() + "'s " + name,
		Path: path,
		Args: append([]string{
			"--kubeconfig=" + s.identity.file(name, "kubeconfig"),
			"--listen=" + loopback,
			"--port=" + strconv.Itoa(port),
		}, args...),
		Log: filepath.Join(s.cluster.LogDir(), name+".log"),
	}
}
