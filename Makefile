# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The bondkit authors
#
#   make lab           the demonstration network; ARGS="-list" passes flags
#   make test          everything: host tests, then the kernel matrix
#   make test-host     the tests that need no virtual machine
#   make test-kernel   the kernel matrix; KERNELS="6.12" KERNEL_PKGS="./arpmon"
#   make lab-kernel    the demonstration in the newest kernel, beside its own bond
#   make lint          golangci-lint, go fix, go mod tidy
#   make bench         benchmarks, ours and the peers', for benchstat
#   make fuzz          every fuzz target for FUZZTIME
#   make build-all     vet and build the tests for the other systems
#   make setup         install what make test needs

SHELL := /bin/bash

GO ?= go

# Kernels of the matrix, by the names that internal/vmtest knows, and the
# packages whose tests look at a kernel.
KERNELS ?= 5.10 6.1 6.12 newest
KERNEL_PKGS ?= ./internal/rtnl ./internal/lab ./arpmon ./bond ./procfs ./ethtool ./examples/bondctl ./examples/srcprune
# The flavour with drivers of hardware; empty for none.
KERNEL_HARDWARE ?= 6.1-generic

# Flags for bondlab.
ARGS ?=

# Caches stay outside the checkout.
BONDKIT_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bondkit
BONDKIT_BIN := $(BONDKIT_CACHE)/bin

GOLANGCI_LINT_VERSION ?= v2.15.0
LINT := $(BONDKIT_BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)

BENCH ?= .
COUNT ?= 6
FUZZTIME ?= 30s

# A checkout that belongs to somebody else must build too.
export GOFLAGS := $(GOFLAGS) -buildvcs=false
export PATH := $(PATH):/usr/sbin:/sbin
export GO KERNELS KERNEL_PKGS KERNEL_HARDWARE BONDKIT_CACHE BONDKIT_BIN

# Setting up is not for two at a time, nor are tests that look at a clock.
.NOTPARALLEL:

.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

.PHONY: setup setup-lab setup-host setup-kernel
setup:
	@scripts/setup.sh test
setup-lab setup-host setup-kernel:
	@scripts/setup.sh $(@:setup-%=%)

.PHONY: lab
lab: setup-lab
	$(GO) run ./examples/bondlab $(ARGS)

# The runner is built once and used by all kernels.
.PHONY: vmtest
vmtest: setup-kernel
	@mkdir -p $(BONDKIT_BIN)
	CGO_ENABLED=0 $(GO) build -o $(BONDKIT_BIN)/vmtest ./internal/vmtest

.PHONY: lab-kernel
lab-kernel: vmtest
	CGO_ENABLED=0 $(GO) build -o $(BONDKIT_BIN)/bondlab ./examples/bondlab
	$(BONDKIT_BIN)/vmtest -kernel newest -timeout 25m -- $(BONDKIT_BIN)/bondlab -kernel-bond=require $(ARGS)

.PHONY: test test-host test-kernel
test: setup vmtest
	@scripts/test.sh all

test-host: setup-host
	@scripts/test.sh host

test-kernel: vmtest
	@scripts/test.sh kernel

.PHONY: build-all
build-all:
	@scripts/test.sh cross

$(LINT):
	@mkdir -p $(@D)
	GOBIN=$(@D)/tmp-lint $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(@D)/tmp-lint/golangci-lint $@
	rmdir $(@D)/tmp-lint

.PHONY: lint
lint: $(LINT)
	$(LINT) run ./...
	GOOS=darwin CGO_ENABLED=0 $(LINT) run ./...
	$(GO) fix -diff ./...
	$(GO) mod tidy -diff

.PHONY: bench
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
	@echo "peers, in the same run:"
	cd internal/peerbench && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

.PHONY: fuzz
fuzz:
	@FUZZTIME=$(FUZZTIME) scripts/test.sh fuzz
