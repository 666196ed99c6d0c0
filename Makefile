# ticketbridge. `make` alone says what there is.

RUN_DIR := $(or $(TB_RUN_DIR),.run)
BIN := $(RUN_DIR)/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.revision=$(REVISION)
FUZZTIME ?= 3s

.DEFAULT_GOAL := help
.PHONY: help run test bench build lint fuzz clean go

help: ## say what there is
	@echo 'make TARGET; the first two need only Go, git and make:'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'Settings of `make run`: $(BIN)/run -help'

go:
	@command -v go >/dev/null || { echo 'Go is missing: install Go 1.26 or newer from https://go.dev/dl/ and have it in PATH.'; exit 1; }

run: go ## start everything and show what happens; CONFIG=my.yaml for your own feeds and integrations
	@mkdir -p $(BIN)
	@go build -o $(BIN)/run ./run
	@exec $(BIN)/run -config "$(CONFIG)"

test: go ## everything that can be checked: format, vet, lint, tests, short fuzzing
	@FUZZTIME=$(FUZZTIME) BIN=$(BIN) .ci/check

bench: go $(BIN)/run ## measure, and print the table of docs/performance.md
	@$(BIN)/run -tools temporal
	TB_TEST_TEMPORAL=$(abspath $(BIN))/temporal go run ./internal/bench

build: go ## build bin/worker and bin/starter
	go build -ldflags '$(LDFLAGS)' -o bin/ ./worker ./starter

lint: go ## format, vet, staticcheck, workflowcheck
	@FUZZTIME=0 BIN=$(BIN) .ci/check lint

fuzz: go ## fuzz every target for FUZZTIME (make fuzz FUZZTIME=1m)
	@FUZZTIME=$(FUZZTIME) BIN=$(BIN) .ci/check fuzz

clean: ## remove what was built, and all that `make run` remembers
	rm -rf bin $(RUN_DIR)

$(BIN)/run: $(wildcard run/*.go)
	@mkdir -p $(BIN)
	@go build -o $@ ./run
