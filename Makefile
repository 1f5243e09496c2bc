# Everything a person or a machine does to this project is a target here; CI calls only these.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

TOOLS       := $(CURDIR)/.tmp/bin
PROXY       := bin/rocketmq-proxy

# Modules beside the root one. They have a go.mod of their own, so `./...` does not see them.
MODULES     := $(patsubst %/go.mod,%,$(wildcard bench/baseline/go.mod server/conformance/go.mod server/conformance/interop/go.mod codec/apiv2/gen/go.mod))

# golangci-lint is built from source at this version; v2.15.0 is known to build with Go 1.26.
LINT_VERSION ?= v2.15.0
LINT         := $(TOOLS)/golangci-lint-$(LINT_VERSION)

# How long each fuzz target runs, and which packages are searched for targets.
FUZZTIME    ?= 10s
FUZZPKGS    ?= ./...

# How long the soak lasts.
SOAK        ?= 10m

# Which benchmarks run, how often each, and the time all of them together may take. `BENCH=.` is all of them, and long
# with the Java proxy, which is warmed for each.
BENCH       ?= ^Benchmark(Send|ReceiveAck|Route|TLS)$$
BENCHCOUNT  ?= 1
BENCHTIMEOUT ?= 90m

# What bench-check compares the tree with.
BASE        ?= HEAD~1

# Extra words for the proxy of `make run`, such as ARGS="-pc my.json" or ARGS="-store /data/proxy".
ARGS        ?=

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: FUZZTIME=60s  FUZZPKGS=./codec/...  SOAK=10m  BENCH=Send  BENCHCOUNT=5  BASE=main  ARGS='-pc my.json'  NAMESRV_ADDR=host:9876"

## Use it
.PHONY: build run
build: ## Build the proxy into bin/
	go build -trimpath -o $(PROXY) ./server/cmd/rocketmq-proxy

# Without NAMESRV_ADDR it needs nothing else: a broker is inside.
run: build ## Run the proxy: in Local mode, or in front of the cluster at NAMESRV_ADDR
	@NAMESRV_ADDR="$${NAMESRV_ADDR:-}" $(PROXY) $(ARGS)
export NAMESRV_ADDR

## Check it
.PHONY: test format vet unit crash unit-race modules race conformance soak floods fuzz bench bench-check bench-local lint
test: format vet unit crash unit-race fuzz modules conformance ## All checks that must be green before a commit lands
	@echo "make test: all green"

format: ## Fail when a file is not gofmt'ed
	@bad=$$(find . -name '*.go' -not -path './.*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$bad" ]; then echo "not gofmt'ed (run gofmt -w on them):"; echo "$$bad"; exit 1; fi

vet: ## go vet, with and without the invariants
	go vet ./...
	go vet -tags invariants ./...

# Not with the profile that the proxy is built with: every package would be compiled once more, for tests.
unit: ## Unit tests of the build that ships
	go test -pgo=off -timeout 8m ./...

crash: ## Crash Local mode 10,000 times on a file system in memory, and look what is left
	go test -timeout 10m -count=1 -run TestCrash -v ./server/local -crash.seeds 100

# One run for both: what the race detector sees is then also what the poison and the leak count see.
# bench starts processes that are built without -race, so it would only be slower here; -short
# because the long random workloads have run without it. Pebble has checks of its own behind the same
# tag, which make its store many times slower.
unit-race: ## Unit tests with -race and the invariants
	go test -pgo=off -race -short -tags invariants -timeout 15m $$(go list ./... | grep -v -e /bench -e /local/store)
	go test -race -short -timeout 15m ./server/local/store

modules: ## Build and vet the modules that have their own go.mod
	@for m in $(MODULES); do echo "go build, go vet: $$m"; (cd $$m && go build -o /dev/null ./... && go vet ./...); done

race: ## Unit tests with -race, of the build that ships
	go test -pgo=off -race -timeout 8m ./...

# Says in one line each what it leaves out: Java, Node.js, Python or Rust may be missing.
conformance: ## Official clients against Local mode and, with Java 17 and Maven, a real cluster; prints the README's table
	@cd server/conformance/interop && go test
	@if [ -f server/conformance/go.mod ]; then cd server/conformance && go test -timeout 20m && go test $$(go list ./... | tail -n +2); fi

soak: ## Watch Local mode under a mixed load for SOAK: memory, descriptors, goroutines
	cd server/conformance && CONFORMANCE_TARGET=local CONFORMANCE_SOAK=$(SOAK) go test -count=1 -timeout 0 -run LocalSoak -v .

floods: ## The known HTTP/2 floods on this proxy, grpc-go, x/net and, with Java 17 and Maven, the Java proxy; prints a table
	cd server/conformance && go test -count=1 -timeout 30m -run TestCompare -v ./floods -compare

# Each begins with the inputs in testdata/fuzz, a choice of what longer runs have found: they are part of every
# `go test`. Two at a time, each on a processor of its own. The first that fails ends all, with what it said. Inputs
# that reach new code are made smaller a few times only: that could take all of the time. Go now and then takes the end
# of the time itself for a failure, of no input; that it names none tells the two apart.
fuzz: ## Run every fuzz target for FUZZTIME
	@mkdir -p .tmp/fuzz
	@go test -list '^Fuzz' $(FUZZPKGS) > .tmp/fuzz/targets
	@awk '/^Fuzz/ { name[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, name[i]; n = 0 }' .tmp/fuzz/targets | \
	xargs -P 2 -n 2 sh -c 'out=.tmp/fuzz/$$(echo "$$0" | tr / .).$$1; \
	  if go test -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 1 "$$0" > $$out 2>&1 \
	  || { grep -q "^    context deadline exceeded$$" $$out && ! grep -q -e "Failing input" -e panic $$out; }; \
	  then echo "$$0 $$1: $$(grep -o "execs: [0-9]*" $$out | tail -1), $(FUZZTIME), no failure"; \
	  else cat $$out; exit 255; fi'

bench: ## Load the real proxy on a stub cluster, next to its baselines
	go test -run '^$$' -bench '$(BENCH)' -count $(BENCHCOUNT) -timeout $(BENCHTIMEOUT) ./bench/...

bench-check: ## Fail when a message costs this tree more CPU than it cost BASE, outside the noise (about three minutes)
	go run ./bench/cmd/benchcheck -base '$(BASE)'

# Java starts slowly and gets warm slowly: its first 25 s are measured too. Rounds are long, so that
# both stores also do what they put off.
bench-local: export BENCH_PEERS ?= local,javalocal
bench-local: export BENCH_ROUNDS ?= 5
bench-local: export BENCH_SECONDS ?= 8
bench-local: ## Load Local mode, next to the Java proxy's with Java 17 and Maven
	go test -run '^$$' -bench Local -timeout $(BENCHTIMEOUT) ./bench/

lint: $(LINT) ## golangci-lint over every module
	@for m in . $(MODULES); do echo "golangci-lint: $$m"; (cd $$m && $(LINT) run ./...); done

$(LINT):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(TOOLS)/golangci-lint $@

## Keep it
.PHONY: profile generate checkgenerate clean

# What go build reads by itself, since it is called default.pgo. An old one does no harm: what has been renamed since
# is only no longer helped.
PROFILED := $(CURDIR)/.tmp/profile
profile: ## Write anew what the proxy's processor time goes to, by which it is compiled (when the hot path has changed)
	rm -rf $(PROFILED)
	BENCH_PEERS=proxy BENCH_ROUNDS=1 BENCH_SECONDS=12 BENCH_PROFILES=$(PROFILED) \
	  go test -run '^$$' -bench '^Benchmark(Send|ReceiveAck)$$' ./bench/
	go tool pprof -proto $(PROFILED)/*.pprof > server/cmd/rocketmq-proxy/default.pgo

generate: ## Write the generated files anew
	sh codec/apiv2/generate.sh

checkgenerate: generate ## Fail when a generated file differs from the committed one
	@changed=$$(git status --porcelain -- 'codec/*.pb.go'); \
	if [ -n "$$changed" ]; then echo "generated files differ from what is committed; run make generate and commit:"; echo "$$changed"; exit 1; fi

clean: ## Remove everything that make made
	rm -rf bin .tmp
	go clean -testcache
