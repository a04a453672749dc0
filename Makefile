# Everything a developer does here. `make help` lists it.
#
# What is downloaded or built from elsewhere goes into the testbed's cache (see tests/testbed/build --help), never into
# this folder and never into the machine's own paths.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Tests that run at once. An end-to-end test takes about 100 MB, and waits for much of its time; eight keep two slow cores busy, and with more of
# them what has to happen in time doesn't.
TEST_THREADS ?= 8
# Which Grafana tests and demonstration run on, for example `make test GRAFANA_VERSION=11.6.0`:
#   GRAFANA_VERSION=11.6.0                    the testbed's double as another release; 13.3.0 by default
#   GRAFANA_IMAGE=grafana/grafana:12.4.0      a real one, a container for each test, by docker or podman (Linux)
#   GRAFANA_URL=http://127.0.0.1:3000         a real one that runs, an organisation for each test; with GRAFANA_USER and
#                                             GRAFANA_PASSWORD, its server administrator's (the demonstration: docs/demo.md)
export IMAGE ?= ghcr.io/letsrevel/alertwright:$(VERSION)
# What the static binary is compiled for: this machine, or the other architecture by a cross compiler (ARCH=arm64 or amd64; docs/releasing.md).
ARCH_amd64 := x86_64
ARCH_arm64 := aarch64
ifeq ($(origin ARCH),command line)
export STATIC := $(or $(ARCH_$(ARCH)),$(error ARCH is amd64 or arm64))-unknown-linux-gnu
else
export STATIC ?= $(shell uname -m)-unknown-linux-gnu
endif
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
MDBOOK_VERSION := 0.5.4
# How long `make fuzz` tries each target, in seconds.
FUZZ_SECONDS ?= 60

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
CACHE = $(or $(ALERTWRIGHT_TESTBED_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/alertwright-testbed)
CARGO_FUZZ = $(CACHE)/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz
MDBOOK = $(CACHE)/mdbook-$(MDBOOK_VERSION)/bin/mdbook
# What runs for seconds needn't be compiled for minutes.
LIGHTLY := CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
CARGO_DENY = $(CACHE)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
DENY = $(CARGO_DENY) --workspace --config .cargo/deny.toml check
BIN = $(shell tests/testbed/build --dir)
TARGET = $(or $(CARGO_TARGET_DIR),target)
# The operator as users get it. The image is made on Linux; elsewhere a release build stands for it.
ifeq ($(shell uname -s),Linux)
SHIPPED := image
OPERATOR = $(TARGET)/$(STATIC)/release/alertwright
else
SHIPPED := static
OPERATOR = $(TARGET)/release/alertwright
endif
export ALERTWRIGHT_OPERATOR ?= $(abspath $(OPERATOR))
# The operator as it is developed. With a test beside it: then the crates have the features that tests give them, and are not
# compiled once for the one and once for the others.
DEVELOPED = cargo build --locked --quiet --workspace --bin alertwright --test layers && $(TARGET)/debug/alertwright
# Modules of the testbed that have tests.
GO_MODULES := grafana loki licences prometheus
CHECKS := format lint deny generated layers charts workflows
TESTS := compile run-tests
GENERATED := crds charts/alertwright/files/crds docs/reference docs/cli docs/pictures src/api/schema/kept.txt

# Makes one target after another, and says how long each took.
in_steps = @for step in $(1); do \
		start=$$SECONDS; echo "== $$step"; \
		$(MAKE) --no-print-directory "$$step" && end=passed || end=FAILED; \
		printf '== %s %s in %d:%02d\n' "$$step" $$end $$(((SECONDS - start) / 60)) $$(((SECONDS - start) % 60)); \
		[ $$end = passed ] || exit 1; \
	done

.PHONY: help
help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: demo
demo: servers static ## Tell the whole story: example, alerts, notifications, rollouts (KEEP=1 leaves it running)
	cargo run --locked --quiet --package alertwright-testbed --bin demo -- --operator $(ALERTWRIGHT_OPERATOR)

.PHONY: test
test: ## Run all tests but test-demo, on the servers of the testbed and on each release of Grafana
	$(call in_steps,$(TESTS))

.PHONY: test-go
test-go: # What the testbed has in Go of its own, with the flags of its build, so that packages are compiled once
	@for module in $(GO_MODULES); do \
		(cd tests/testbed/$$module && export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false -gcflags=all=-dwarf=false' && go vet ./... && go test ./...) || exit 1; \
	done

.PHONY: compile
compile: # Two at once, for the last minutes of each have one core. By itself, so that it can be told how long tests take
	@$(MAKE) --no-print-directory --jobs=2 testbed static compile-tests
	@$(MAKE) --no-print-directory --jobs=2 $(SHIPPED) test-go

.PHONY: compile-tests
compile-tests:
	cargo test --workspace --locked --no-run

.PHONY: run-tests
run-tests: # What ran on which release of Grafana is printed last
	@rm -f $(TARGET)/tmp/*.trials
	cargo test --workspace --locked --no-fail-fast -- --test-threads=$(TEST_THREADS) && end=0 || end=$$?; \
	tests/testbed/by-release; exit $$end

.PHONY: test-faults
test-faults: testbed ## Test every fault of every call, and a crash before and after each, where `make test` takes a few (hours; one kind of them: KIND=409)
	ALERTWRIGHT_FAULTS="$(or $(KIND),all)" cargo test --locked --test e2e matrix:: -- --test-threads=2 --nocapture

.PHONY: soak
soak: testbed ## Test many edits, faults, crashes and changes by hand in an order by chance (SEEDS=200, or one again: SEED=17)
	$(if $(SEED),ALERTWRIGHT_SEED=$(SEED),ALERTWRIGHT_SEEDS=$(or $(SEEDS),200)) cargo test --locked --test e2e matrix::soak:: -- --test-threads=1 --nocapture

.PHONY: fuzz
fuzz: $(CARGO_FUZZ) ## Let libFuzzer try everything that parses, a minute for each (FUZZ_SECONDS=600, FUZZ_TARGETS='query rule'; needs a C++ compiler)
	@for target in $(or $(FUZZ_TARGETS),$(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))); do \
		mkdir -p fuzz/corpus/$$target; \
		$(CARGO_FUZZ) run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target deploy/examples/revel -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 || exit 1; \
	done

.PHONY: contract
contract: ## Try how Grafana behaves: on the double of each release, or on a real one (see tests/contract)
ifeq ($(GRAFANA_URL)$(GRAFANA_IMAGE),)
	@tests/testbed/build grafana
endif
	cargo test --locked --test contract -- --test-threads=$(TEST_THREADS)
	@cargo test --locked --quiet --test contract -- --table

.PHONY: test-demo
test-demo: servers static ## Test that the demonstration leaves somebody's own servers as they were (4 minutes)
	cargo test --locked --package alertwright-testbed --features demo-test --test demo

.PHONY: check
check: ## Check everything that needs no server: format, lints, licences, generated files, manifests
	$(call in_steps,$(CHECKS))

.PHONY: bench
bench: testbed static ## Measure Grafana calls, times and memory at 1,000 rules, and print a table
	cargo run --locked --release --quiet --package alertwright-testbed --bin bench -- --operator $(ALERTWRIGHT_OPERATOR) $(BENCH_ARGS)

.PHONY: cold
cold: ## Measure how long the command line takes to start, with the released program's profile
	cargo build --locked --release --quiet
	sh tests/cold-start.sh $(TARGET)/release/alertwright

.PHONY: microbench
microbench: ## Measure single decisions (splitter, difference of a rule, tree of 200 branches, walk over 1,000 routes)
	cargo bench --locked --quiet --bench decisions -- --noplot $(BENCH_ARGS)

.PHONY: callgrind
callgrind: ## Count the instructions of a pass among 10, 1,000 and 10,000 AlertRules (a quarter of an hour; needs valgrind)
	@sh tests/callgrind.sh

.PHONY: counts
counts: testbed ## Count calls of Grafana on each release and through each of its APIs, and print a table
	cargo build --locked --quiet --workspace --bin alertwright --test layers
	cargo run --locked --quiet --package alertwright-testbed --bin bench -- --operator $(TARGET)/debug/alertwright --by-release $(BENCH_ARGS)

.PHONY: build
build: ## Build the operator for development
	cargo build --locked

.PHONY: testbed
testbed: ## Build the servers and tools that tests and demo run, once, into a cache
	@tests/testbed/build

.PHONY: servers
servers: # What the demonstration runs: without the tools that only tests need
	@tests/testbed/build kube-apiserver etcd kube-controller-manager kube-scheduler kwok grafana loki

.PHONY: format
format: ## Check the format (cargo fmt and gofmt -w mend it)
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	@unformatted=$$(gofmt -l tests/testbed) && [ -z "$$unformatted" ] || { echo "gofmt -w $$unformatted"; exit 1; }

.PHONY: lint
lint: ## Run clippy; every warning is an error
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

.PHONY: deny
deny: $(CARGO_DENY) ## Check licences of crates and of the testbed's Go modules, banned crates, and sources
	$(DENY) licenses bans sources
	$(CARGO_DENY) --locked --manifest-path fuzz/Cargo.toml --config .cargo/deny.toml check licenses bans sources
	@tests/testbed/build --licences >/dev/null

.PHONY: licences
licences: ## Print the Go modules that the testbed's parts are linked from, with their licences
	@tests/testbed/build --licences

.PHONY: audit
audit: $(CARGO_DENY) ## Check the dependencies for known vulnerabilities (needs the network)
	$(DENY) advisories
	$(CARGO_DENY) --locked --manifest-path fuzz/Cargo.toml --config .cargo/deny.toml check advisories

.PHONY: crds
crds: ## Write the CustomResourceDefinitions, for kubectl and for the chart
	$(DEVELOPED) crds --directory crds
	mkdir -p charts/alertwright/files/crds
	cp crds/*.yaml charts/alertwright/files/crds/

.PHONY: docs
docs: ## Write docs/reference from the CustomResourceDefinitions, and what commands print into docs/cli
	$(DEVELOPED) crds --markdown --directory docs/reference
	WRITE_DOCS=1 cargo test --locked --quiet --test cli -- docs:: collections:: --test-threads 1

.PHONY: site
site: $(MDBOOK) ## Make a site of the documentation, with a search, in target/site/html
	docs/site/build $(MDBOOK) $(TARGET)/site

.PHONY: docs-cluster
docs-cluster: testbed ## Write what commands print in a cluster into docs/cli, and its pictures (a few minutes)
	WRITE_DOCS=1 cargo test --locked --test e2e docs::what_the_pages_show

.PHONY: drawings
drawings: # What code draws of docs/pictures from what is kept there and in the sources, with no server
	cargo build --locked --quiet --workspace --bin pictures --test layers
	$(TARGET)/debug/pictures draw

.PHONY: pictures
pictures: docs-cluster servers $(MDBOOK) ## Make docs/pictures from real runs: drawings, terminals, a recording of the demonstration, the site
	cargo build --locked --quiet --workspace --bin pictures --bin demo --bin alertwright --test layers
	$(TARGET)/debug/pictures record --operator $(TARGET)/debug/alertwright
	docs/site/build $(MDBOOK) $(TARGET)/site
	docs/site/look $(TARGET)/site/html docs/pictures/site

.PHONY: generated
generated: crds docs drawings ## Check that generated files are committed as they would be generated
	@git diff --exit-code -- $(GENERATED) || { echo 'run "make crds docs drawings" and commit the result'; exit 1; }
	@[ -z "$$(git status --porcelain -- $(GENERATED))" ] || { git status --short -- $(GENERATED); echo 'commit these files'; exit 1; }

.PHONY: layers
layers: # Who may import whom. Seconds, for `generated` has compiled it
	cargo test --locked --workspace --quiet --test layers

.PHONY: charts
charts: ## Lint the chart, and check chart, base and examples against the types of the API server
	@tests/testbed/build helm kubeconform
	$(BIN)/helm lint --strict charts/alertwright
	cargo test --locked --workspace --test manifests

.PHONY: workflows
workflows: ## Check the workflows of .github
	@tests/testbed/build actionlint
	$(BIN)/actionlint -shellcheck= -pyflakes=

.PHONY: static
static: ## Build the operator as it is shipped: static, small, the same on every machine
ifeq ($(SHIPPED),image)
	deploy/image/build --binary
else
	cargo build --locked --release
endif

.PHONY: image
image: ## Make the image without a container engine, with its SBOM, in target/image (Linux; ARCH=arm64 for another architecture)
	deploy/image/build

.PHONY: image-reproducible
image-reproducible: image ## Check that this commit gives the same image in another folder (compiles it all again)
	deploy/image/build --check

.PHONY: release-dry-run
release-dry-run: image ## Make what a release is made of, as far as one machine can, into a folder (VERSION=0.1.0; docs/releasing.md)
	rm -rf $(TARGET)/images $(TARGET)/release-$(VERSION)
	deploy/release/build archive $(TARGET)/release-$(VERSION)
	deploy/release/build others $(TARGET)/release-$(VERSION)
	deploy/release/build assemble $(VERSION) $(TARGET)/release-$(VERSION)

.PHONY: image-docker
image-docker: ## Build the image with docker or podman (IMAGE=name:tag)
	@engine=$$(command -v docker || command -v podman) || { echo 'docker or podman is needed; "make image" needs neither'; exit 1; }; \
	"$$engine" build --file deploy/Dockerfile --build-arg VERSION=$(VERSION) --tag $(IMAGE) .

.PHONY: clean
clean: ## Remove what was built here (the testbed's cache stays: it is shared)
	cargo clean

$(CARGO_FUZZ):
	@echo 'cargo-fuzz: building, which takes a minute the first time'
	$(LIGHTLY) cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root $(CACHE)/cargo-fuzz-$(CARGO_FUZZ_VERSION)

$(CARGO_DENY):
	@echo 'cargo-deny: building, which takes two minutes the first time'
	$(LIGHTLY) cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --no-default-features --root $(CACHE)/cargo-deny-$(CARGO_DENY_VERSION)

$(MDBOOK):
	@echo 'mdBook: building, which takes some minutes the first time'
	$(LIGHTLY) cargo install mdbook --version $(MDBOOK_VERSION) --locked --no-default-features --features search --root $(CACHE)/mdbook-$(MDBOOK_VERSION)
