module github.com/vitistack/kubevirt-multicluster/operator

go 1.26.0
