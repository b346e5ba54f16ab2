# make run     a whole cloud on this machine
# make test    every test, on SQLite and PostgreSQL
# make check   everything that reads the code instead of running it
# The rest is below, each with a line.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

LINT_VERSION := v2.15.0
VULN_VERSION := v1.1.4
S3_VERSION := v1.8.0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Where this repository's Go files are: for tools that take no ./...
GO_FOLDERS := $(wildcard api cmd internal uid web)

.PHONY: run build console test check bench race soak generate clean

run: build ## build, then run a whole cloud here: API, console, simulated hosts
	mkdir -p virga-data && chmod 700 virga-data
	./virga dev --credentials-file virga-data/credentials.json

build: console ## one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o virga ./cmd/virga

console: ## the web console; without node (or while there is none) the binary is built without it
	@if [ ! -f web/package.json ]; then \
		:; \
	elif ! command -v npm >/dev/null; then \
		echo "no npm here: building without the console"; \
	else \
		cd web; \
		[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; \
		npm run build; \
	fi

# All of it is to take less than 15 minutes on two cores; the timeout is for what hangs, on slower machines too.
test: .bin/versitygw ## install what tests need (Debian), then run all of them
	scripts/test-deps
	VIRGA_REQUIRE=postgres,slapd,python,python-cs,libcloud,curl,tmux,netns,nft,dnsmasq,haproxy,dhclient,cloud-init,qemu,ovmf,versitygw scripts/with-postgres go test -timeout 20m -parallel 4 ./...

check: .bin/golangci-lint ## formatting, vet, linters, the rules of the house, generated pages, known vulnerabilities
	@echo "gofmt"; unformatted=$$(gofmt -l $(GO_FOLDERS)); [ -z "$$unformatted" ] || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	@echo "go.mod"; untidy=$$(go mod tidy -e -diff 2>/dev/null || true); [ -z "$$untidy" ] || { echo "$$untidy"; echo "run go mod tidy"; exit 1; }
	go vet ./...
	.bin/golangci-lint run ./...
	go test -timeout 60s ./internal/house
	@echo "docs/reference"; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; go run ./internal/tools/generate "$$fresh"; \
		diff -r "$$fresh" docs/reference >/dev/null || { echo "docs/reference is not what the declarations say: make generate"; exit 1; }
	scripts/vulnerabilities $(VULN_VERSION)

.bin/golangci-lint: Makefile
	@if [ "$$(.bin/golangci-lint version --short 2>/dev/null)" != "$(LINT_VERSION:v%=%)" ]; then \
		echo "installing golangci-lint $(LINT_VERSION)"; \
		export GOBIN=$(CURDIR)/.bin; get="go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)"; \
		$$get || { sleep 10; $$get; }; \
	fi
	@touch $@

# An S3 server that people use, for the tests of the client: a program, as its modules are many and none is ours.
.bin/versitygw: Makefile
	@if [ "$$(go version -m $@ 2>/dev/null | awk '$$1 == "mod" {print $$3}')" != "$(S3_VERSION)" ]; then \
		echo "installing versitygw $(S3_VERSION)"; \
		export GOBIN=$(CURDIR)/.bin; get="go install github.com/versity/versitygw/cmd/versitygw@$(S3_VERSION)"; \
		$$get || { sleep 10; $$get; }; \
	fi
	@touch $@

generate: ## what is made from declarations: docs/reference
	go run ./internal/tools/generate

bench: ## the figures of docs/performance.md, with durable commits
	@scripts/test-deps
	@scripts/bench

race: ## what many do at once, with the race detector; it needs a C compiler
	go test -race -timeout 30m ./internal/account ./internal/apilimit ./internal/role ./internal/setting ./internal/saml ./internal/outside/... ./internal/facade/...
	go test -race -timeout 30m -run "AreUsed|WhileDeploying|InParallel|Hole7|ReachEveryServer" ./internal/cloudtest

soak: ## hours of a whole cloud under accidents
	scripts/test-deps
	VIRGA_SOAK=1 VIRGA_REQUIRE=postgres scripts/with-postgres go test -count 1 -timeout 6h -v -run "Kill9|Thousand|TwoServers" ./cmd/virga ./internal/cloudtest

clean: ## what builds leave behind
	rm -rf virga .bin web/dist
