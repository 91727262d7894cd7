# One Makefile for the whole workspace. `make` alone lists what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

MODULES := api placement placement-plugins placement/host crdcheck clientmgr clientmgr/multicluster testkit virtualmachine clusterstatus operator

PACKAGES := $(MODULES:%=./%/...)

# Modules outside the workspace, whose dependencies would drag ours.
OUTSIDE := crdcheck/differential testkit/pictures testkit/programs/released deploy deploy/monitoring

# What is built for tests from other people's modules is kept outside the repository, keyed by version.
CACHE ?= $(or $(KUBEVIRT_MULTICLUSTER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubevirt-multicluster)
export KUBEVIRT_MULTICLUSTER_CACHE := $(CACHE)

KUBERNETES := $(shell awk '$$1 == "k8s.io/kubernetes" {print $$2}' testkit/programs/kubernetes/go.mod)
KUBEVIRT := $(shell awk '$$1 == "kubevirt.io/kubevirt" && NF > 1 {print $$2; exit}' testkit/programs/kubevirt/go.mod)
KUBERNETES_DIR := $(CACHE)/kubernetes-$(KUBERNETES)
KUBEVIRT_DIR := $(CACHE)/kubevirt-$(KUBEVIRT)

# The same flags everywhere: they are part of the key of Go's build cache. Tests named TestLong… run in test-long alone.
GOBUILD := CGO_ENABLED=0 go build -trimpath
GOTEST := CGO_ENABLED=1 go test -trimpath -race -timeout 30m
# For code that runs nothing side by side, but packs and unpacks hundreds of megabytes: the race detector takes ten times as long.
GOTEST_PLAIN := CGO_ENABLED=0 go test -trimpath -timeout 30m
TOOL := GOWORK=off go tool -modfile=$(CURDIR)/go.tools.mod

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

include testkit/programs/programs.mk

.PHONY: tools
tools: programs bin node browser ## build what tests and the demo run: Kubernetes and KubeVirt (once, outside), ours into bin/

STRATEGIES := $(patsubst placement-plugins/cmd/placement-%,%,$(wildcard placement-plugins/cmd/placement-*))

.PHONY: bin
bin:
	@mkdir -p bin/plugins
	@$(GOBUILD) -o bin/ ./testkit/cmd/fleet ./testkit/cmd/demo ./testkit/cmd/bench ./testkit/cmd/scale ./testkit/cmd/soak ./testkit/cmd/chaos ./placement/examples/liar ./operator ./crdcheck/cmd/crdcheck
	@$(GOBUILD) -ldflags "-s -w" -o bin/plugins/ $(STRATEGIES:%=./placement-plugins/cmd/placement-%)
	@chmod 0755 bin bin/plugins bin/plugins/placement-* # whatever the umask: a plugin that others can write is refused
	@cd bin/plugins && sha256sum $(STRATEGIES:%=placement-%) >SHA256SUMS && chmod 0644 SHA256SUMS
	@ln -sf $(KUBERNETES_DIR)/kubectl bin/kubectl
	@ln -sf operator bin/kubectl-machine
	@install -m 0755 deploy/krew/kubectl_complete-machine bin/kubectl_complete-machine

# The strategy in another language that the tests of placement run. Its packages are pinned by package-lock.json.
.PHONY: node
node: placement/examples/node/node_modules/.package-lock.json

# The browser that the tests of the Fleet page look with, and the rules of accessibility that they hold it to.
.PHONY: browser
browser: operator/internal/page/browser/node_modules/.package-lock.json
	@command -v chromium >/dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; }

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { apt-get update && apt-get install -y --no-install-recommends nodejs npm; }
	@cd $* && npm ci
	@touch $@

.PHONY: test
test: tools ## run all tests but the long ones, with the race detector
	@$(MAKE) -j2 test-workspace test-beside
	@cd deploy/monitoring && GOWORK=off $(GOTEST_PLAIN) ./... # alone: alerts go by the clock

# As many packages at once as there are processors, which is Go's default: with one more, tests with deadlines miss them.
.PHONY: test-workspace
test-workspace:
	@$(GOTEST) -skip '^TestLong' $(PACKAGES)

# The modules that are in no workspace, one after the other.
.PHONY: test-beside
test-beside:
	@cd crdcheck/differential && GOWORK=off $(GOTEST) ./...
	@cd testkit/pictures && GOWORK=off $(GOTEST_PLAIN) -count 1 ./... # what it reads outside its module, the cache of tests does not see
	@cd deploy && GOWORK=off $(GOTEST_PLAIN) ./...

.PHONY: test-long
test-long: tools ## run the long tests: leaks, chaos, models
	@$(GOTEST) -timeout 3h -run '^TestLong' $(PACKAGES)

# FUZZ='FuzzDecide|FuzzStatus' runs these alone. FUZZ_LOG remembers what was run, so that `make fuzz` goes on where it was interrupted.
# What a run finds is kept in testdata/fuzz as a seed.
FUZZ ?= Fuzz.*
FUZZ_COUNT ?= 10000000
FUZZ_STEP ?= 1000000
FUZZ_LOG ?= dist/fuzz.log
.PHONY: fuzz
fuzz: ## run each fuzz test FUZZ_COUNT times (10000000): hours; FUZZ=NAME for one
	@.ci/fuzz $(FUZZ_COUNT) $(FUZZ_LOG) '$(FUZZ)' $(FUZZ_STEP) \
		$$(grep -rl '^func Fuzz' --include=*_test.go $(MODULES) | xargs -n1 dirname | sort -u)

.PHONY: isolated
isolated: tools ## build and test each module outside the workspace
	@for module in $(MODULES); do echo "$$module"; (cd $$module && export GOWORK=off && $(GOBUILD) ./... && $(GOTEST) -skip '^TestLong' ./...); done

.PHONY: released
released: ## build a stranger's program against the committed modules by their versions, without workspace and replace lines
	@.ci/released

# PUSH=REGISTRY/NAME:TAG pushes it, too; ARCH=amd64 builds for that architecture alone. FROM=dist/release takes the programs that
# `make release` made, which say their version.
VERSION = $(shell awk '$$1 == "operator:" {print $$2}' versions.yaml)
.PHONY: image
image: ## build the operator's image for amd64 and arm64 into dist/image; with PUSH=REGISTRY/NAME:TAG push it
	@cd deploy && GOWORK=off CGO_ENABLED=0 go run -trimpath ./cmd/image --version $(VERSION) --output $(CURDIR)/dist/image \
		$(if $(ARCH),--arch $(ARCH)) $(if $(PUSH),--push $(PUSH)) $(if $(FROM),--release $(abspath $(FROM)))

.PHONY: chart
chart: ## write the Helm chart as an archive into dist
	@mkdir -p dist
	@cd deploy && GOWORK=off CGO_ENABLED=0 go run -trimpath ./cmd/chart package $(CURDIR)/dist

# PLATFORMS="linux/amd64 …" builds programs for these alone.
.PHONY: release
release: ## make what a release publishes, into dist/release, and say which tags to make; publish nothing
	@rm -rf dist/release
	@cd deploy && GOWORK=off CGO_ENABLED=0 go run -trimpath ./cmd/release --output $(CURDIR)/dist/release $(PLATFORMS:%=--platform %)

.PHONY: demo
demo: tools ## start everything and watch Machines become virtual machines; with CI=1 check it, measure and end
	@bin/demo $(if $(CI),--ci)

# Rows that were measured are kept in BENCH; ROWS="creation heap" measures those alone. Those of `make scale` come along.
BENCH ?= docs/bench/bench.json
SCALE ?= docs/bench/scale
.PHONY: bench
bench: tools ## print what the operator costs, row by row, and draw it; with ROWS="NAME …" those rows alone
	@mkdir -p $(dir $(BENCH))
	@bin/bench --json $(BENCH) $(ROWS:%=--row %) $(if $(wildcard $(SCALE).json),--scale $(SCALE).json) $(BENCH_FLAGS)
	@$(MAKE) pictures

.PHONY: pictures
pictures: ## draw the rows that make bench has kept
	@cd testkit/pictures && GOWORK=off CGO_ENABLED=0 go run -trimpath . $(abspath $(BENCH)) $(abspath $(dir $(BENCH)))

# COUNT=10 is what benchstat wants.
COUNT ?= 1
.PHONY: benchmarks
benchmarks: tools ## print the Go benchmarks of all modules, in the form that benchstat reads; COUNT=10 repeats them
	@for module in $(MODULES); do (cd $$module && CGO_ENABLED=0 go test -trimpath -run '^$$' -bench . -benchmem -count $(COUNT) ./...); done

# SOAK="--time 10m --machines 200" makes it shorter.
.PHONY: soak
soak: tools ## see whether the operator keeps its size for 30 minutes of churn and faults
	@mkdir -p dist
	@bin/soak --json dist/soak.json --svg dist/soak.svg $(SOAK)

# CLUSTERS="1,10", REAL=0 and MACHINES=1000 measure a part; SCALE keeps what was measured, and later runs add to it.
CLUSTERS ?= 1,8,10,100,1000
REAL ?= 1,8
MACHINES ?= 1000,5000,10000,20000
.PHONY: scale
scale: tools ## measure what clusters and Machines cost, real clusters and stand-ins, into docs/bench/scale.json and .svg: hours
	@mkdir -p $(dir $(SCALE))
	@bin/scale --clusters $(CLUSTERS) --real $(REAL) --machines $(MACHINES) --json $(SCALE).json --picture $(SCALE).svg

# The same seed gives the same schedule. MODE=real plays it against KubeVirt's own controllers; SEEDS=10 plays ten seeds from SEED on.
SEED ?= 1
SEEDS ?= 1
TIME ?= 60s
MODE ?= light
.PHONY: chaos
chaos: tools ## play the random schedule of SEED (1) for TIME (60s) against the operator, and look for a broken invariant
	@bin/chaos --seed $(SEED) --seeds $(SEEDS) --time $(TIME) --kubevirt $(MODE)

.PHONY: generate
generate: ## write generated code and manifests anew
	@for module in $(MODULES); do (cd $$module && go generate ./...); done
	@cd deploy && GOWORK=off go generate ./...

.PHONY: fmt
fmt: ## format all Go code, tidy all modules
	@gofmt -w .
	@for module in $(MODULES) $(OUTSIDE); do (cd $$module && GOWORK=off go mod tidy); done

.PHONY: lint
lint: ## check the house rules
	@for module in $(MODULES) $(OUTSIDE); do (cd $$module && $(TOOL) golangci-lint run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: verify
verify: ## fail unless generated files, go.mod, formatting, lint and sibling versions are as they should be
	@.ci/siblings
	@test -z "$$(gofmt -l .)" || { echo "run make fmt: $$(gofmt -l .)"; exit 1; }
	@for module in $(MODULES) $(OUTSIDE); do (cd $$module && GOWORK=off go mod tidy -diff); done
	@$(MAKE) generate
	@git diff --exit-code -- $(MODULES) deploy || { echo "generated files are stale: commit what make generate writes"; exit 1; }
	@$(MAKE) lint
