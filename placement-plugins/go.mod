module github.com/vitistack/kubevirt-multicluster/placement-plugins

go 1.26.0

require github.com/vitistack/kubevirt-multicluster/placement v0.1.0

replace github.com/vitistack/kubevirt-multicluster/placement => ../placement
