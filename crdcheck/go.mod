module github.com/vitistack/kubevirt-multicluster/crdcheck

go 1.26.0
