# Biloxi: `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# A Debian version begins with a digit: a commit without a tag is 0.0.0 and some more.
DEB_VERSION = $(shell echo "$(VERSION)" | sed -E 's/^v//; /^[0-9]+[.]/!s/^/0.0.0+g/; s/-/./g')
FUZZTIME ?= 3s
SCENARIOS ?=
RUNS ?= 5
DURATION ?= 5s
PROGRAMS := $(CURDIR)/bin

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/biloxi: static, no cgo, version stamped
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/biloxi ./cmd/biloxi

.PHONY: run
run: build ## build, and run a demonstration server on loopback with its data in ./biloxi-data
	@exec bin/biloxi serve --demo

.PHONY: test
test: test-tools lint race ledger fuzz interop ## everything: lint, race, conformance ledger, fuzz, interop with strangers
	@echo "make test: all passed"

.PHONY: unit
unit: ## go test ./... alone: needs nothing but Go
	go test ./...

.PHONY: race
race: ## all Go tests with the race detector
	CGO_ENABLED=1 go test -race -count 1 -timeout 20m ./...

.PHONY: lint
lint: ## gofmt, vet and staticcheck
	@un=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$un" ]; then echo "gofmt would change: $$un"; exit 1; fi
	go vet ./...
	go vet -tags interop ./test/interop/
	go tool staticcheck ./...

.PHONY: conformance
conformance: ## run the conformance rows, print the ledger and write docs/conformance.md
	go run ./test/conformance/ledger -write

.PHONY: ledger
ledger: ## run the conformance rows and check docs/conformance.md against them
	go run ./test/conformance/ledger

.PHONY: fuzz
fuzz: ## a short run of every fuzz target (FUZZTIME=3s each)
	@test/fuzz.sh $(FUZZTIME)

.PHONY: interop
interop: build test-tools ## sipp, sipsak, baresip and linphone against a real server
	BILOXI_INTEROP=1 BILOXI=$(PROGRAMS)/biloxi go test -tags interop -count 1 -v -timeout 15m ./test/interop/

.PHONY: test-tools
test-tools: ## install what the tests need with apt (root on Debian), or name what is missing
	@test/tools.sh

.PHONY: bench
bench: build ## Biloxi beside a tuned Kamailio, into docs/benchmarks.md (SCENARIOS="udp-call TLS" RUNS=5 DURATION=5s)
	go run ./test/bench -scenarios "$(SCENARIOS)" -runs $(RUNS) -duration $(DURATION)

.PHONY: profile
profile: ## CPU and allocation profiles of each scenario, in dist/profiles (SCENARIOS, DURATION)
	@mkdir -p dist/profiles
	CGO_ENABLED=0 go build -tags profile -ldflags "-X main.version=$(VERSION)" -o dist/profiles/biloxi ./cmd/biloxi
	go run ./test/bench -biloxi dist/profiles/biloxi -profiles dist/profiles -scenarios "$(SCENARIOS)" -duration $(DURATION)

.PHONY: microbench
microbench: ## benchmarks of all packages: ns, B and allocations per operation
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what we use (needs the vulnerability database)
	go tool govulncheck ./...

.PHONY: docs
docs: ## write what is generated: docs/configuration.md, docs/flows.md, docs/conformance.md
	go test ./config -run Reference -update
	go test ./test/flows -update
	go run ./test/conformance/ledger -write

.PHONY: deb
deb: build ## a Debian package in dist/
	@mkdir -p dist
	ARCH=$$(go env GOARCH) VERSION=$(DEB_VERSION) go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0 package --config packaging/nfpm.yaml --packager deb --target dist/

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist
