module github.com/vitistack/kubevirt-multicluster/placement

go 1.26.0
