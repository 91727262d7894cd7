// Program virt-controller is KubeVirt's, but that the authority which signs the certificates of
// exporters is where EXPORT_CA_DIR says: tls.crt and tls.key in that folder. KubeVirt has the path
// of a container's file system in a constant, of which there is one for all clusters of a machine,
// and its program ends where an export is made and the files are missing.
package main

import (
	"os"
	"path/filepath"
	"reflect"
	"unsafe"

	"kubevirt.io/kubevirt/pkg/certificates/bootstrap"
	"kubevirt.io/kubevirt/pkg/storage/export/export"
	"kubevirt.io/kubevirt/pkg/virt-controller/watch"
)

// initCert is the variable by which KubeVirt's tests replace the authority.
//
//go:linkname initCert kubevirt.io/kubevirt/pkg/storage/export/export.initCert
var initCert func(*export.VMExportController)

func main() {
	initCert = func(controller *export.VMExportController) {
		dir := os.Getenv("EXPORT_CA_DIR")
		manager := bootstrap.NewFileCertificateManager(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
		field := reflect.ValueOf(controller).Elem().FieldByName("caCertManager")
		reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(manager))
		go manager.Start()
	}
	watch.Execute()
}
