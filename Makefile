# One Makefile for the whole workspace. `make` alone lists what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

MODULES := operator/api placement placement-plugins crdcheck clientmgr testkit operator

# What is built for tests from other people's modules is kept outside the repository, keyed by version.
CACHE ?= $(or $(KUBEVIRT_MULTICLUSTER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubevirt-multicluster)
export KUBEVIRT_MULTICLUSTER_CACHE := $(CACHE)

KUBERNETES := $(shell awk '$$1 == "k8s.io/kubernetes" {print $$2}' testkit/programs/kubernetes/go.mod)
KUBEVIRT := $(shell awk '$$1 == "kubevirt.io/kubevirt" && NF > 1 {print $$2; exit}' testkit/programs/kubevirt/go.mod)
KUBERNETES_DIR := $(CACHE)/kubernetes-$(KUBERNETES)
KUBEVIRT_DIR := $(CACHE)/kubevirt-$(KUBEVIRT)

# The same flags everywhere: they are part of the key of Go's build cache.
GOBUILD := CGO_ENABLED=0 go build -trimpath
GOTEST := CGO_ENABLED=1 go test -trimpath -race -timeout 20m
TOOL := GOWORK=off go tool -modfile=$(CURDIR)/go.tools.mod

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

include testkit/programs/programs.mk

.PHONY: tools
tools: programs bin ## build the programs that tests and the demo run, and ours into bin/

STRATEGIES := annotation default single search

.PHONY: bin
bin:
	@mkdir -p bin/plugins
	@$(GOBUILD) -o bin/ ./testkit/cmd/fleet ./operator
	@$(GOBUILD) -ldflags "-s -w" -o bin/plugins/ $(STRATEGIES:%=./placement-plugins/cmd/placement-%)
	@chmod 0755 bin bin/plugins bin/plugins/placement-* # whatever the umask: a plugin that others can write is refused
	@cd bin/plugins && sha256sum $(STRATEGIES:%=placement-%) >SHA256SUMS
	@ln -sf $(KUBERNETES_DIR)/kubectl bin/kubectl
