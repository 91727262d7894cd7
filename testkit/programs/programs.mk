# Builds other people's programs from their modules, once a version. kube-apiserver takes about 6 minutes with an empty build cache,
# virt-controller about 4: say what is being built. Each program is renamed into place when it is complete, so that an interrupted build
# leaves nothing half-done.

VERSION_PACKAGE := k8s.io/component-base/version
KUBERNETES_LDFLAGS := -s -w -X $(VERSION_PACKAGE).gitVersion=$(KUBERNETES) -X $(VERSION_PACKAGE).gitMajor=1 \
	-X $(VERSION_PACKAGE).gitMinor=$(word 2,$(subst ., ,$(KUBERNETES))) -X $(VERSION_PACKAGE).gitCommit=module -X $(VERSION_PACKAGE).gitTreeState=clean

KUBERNETES_PROGRAMS := $(addprefix $(KUBERNETES_DIR)/,kube-apiserver kube-controller-manager kubectl etcd etcdctl etcdutl)
KUBEVIRT_PROGRAMS := $(addprefix $(KUBEVIRT_DIR)/,virt-controller virt-api virt-exportserver \
	virt-synchronization-controller crds.yaml webhooks.yaml)

# What is built here still has to be built while its file is missing.
to-go = $$(ls $(KUBERNETES_PROGRAMS) $(KUBEVIRT_PROGRAMS) 2>&1 >/dev/null | wc -l) of $(words $(KUBERNETES_PROGRAMS) $(KUBEVIRT_PROGRAMS)) to go

# build-program MODULE PACKAGE LDFLAGS
define build-program
	@echo "$$(date +%T) building $(notdir $@) ($(notdir $(@D))), once: $(to-go)"
	@mkdir -p $(@D)
	@cd testkit/programs/$(1) && GOWORK=off $(GOBUILD) -ldflags "$(3)" -o $@.partial $(2) && mv $@.partial $@
endef

.PHONY: programs
programs: $(KUBERNETES_PROGRAMS) $(KUBEVIRT_PROGRAMS)

$(KUBERNETES_DIR)/kube%:
	$(call build-program,kubernetes,k8s.io/kubernetes/cmd/$(@F),$(KUBERNETES_LDFLAGS))

$(KUBERNETES_DIR)/etcd:
	$(call build-program,kubernetes,go.etcd.io/etcd/server/v3,-s -w)

$(KUBERNETES_DIR)/etcd%:
	$(call build-program,kubernetes,go.etcd.io/etcd/$(@F)/v3,-s -w)

# Its own main, but for one path: see there.
$(KUBEVIRT_DIR)/virt-controller:
	$(call build-program,kubevirt,./virt-controller,-s -w)

# Its folder does not have its name.
$(KUBEVIRT_DIR)/virt-synchronization-controller:
	$(call build-program,kubevirt,kubevirt.io/kubevirt/cmd/synchronization-controller,-s -w)

$(KUBEVIRT_DIR)/virt-%:
	$(call build-program,kubevirt,kubevirt.io/kubevirt/cmd/$(@F),-s -w)

# What KubeVirt's and CDI's operators would install: custom resource definitions and webhook configurations.
$(KUBEVIRT_DIR)/%.yaml:
	@echo "$$(date +%T) writing $(@F) ($(notdir $(@D))), once: $(to-go)"
	@mkdir -p $(@D)
	@cd testkit/programs/kubevirt && GOWORK=off CGO_ENABLED=0 go run -trimpath ./manifests $* >$@.partial && mv $@.partial $@
