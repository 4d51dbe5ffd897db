# `make` alone lists the targets. Every target sets up what it needs, which takes seconds once everything is there.
export HUBBUB_TOOLS ?= $(CURDIR)/.tools
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run watch build test check unit browser bench bench-quick bench-growth replicas faults hostile soak clean

ENV := source "$(HUBBUB_TOOLS)/env" &&

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install build tools (Rust for WebAssembly, cargo-leptos, npm packages)
	@scripts/setup.sh build

build: setup ## Build target/release/hubbub and target/site
	@$(ENV) cargo leptos build --release --precompress

run: build ## Build and serve on http://127.0.0.1:3000
	@exec target/release/hubbub

watch: setup ## Rebuild and reload on every change
	@$(ENV) cargo leptos watch

test: ## Check formats and lints and run every test, also in a real browser; report how long each step took
	@scripts/test.sh all

check: ## Check formats and lints only
	@scripts/test.sh check

unit: ## Run the tests that need no browser
	@scripts/test.sh unit

browser: ## Run the tests in Chromium and with the official Socket.IO client
	@scripts/test.sh browser

soak: ## Run tests too long for `make test`: 100,000 messages, 10,000 pages, slow readers, SOAK_MINUTES (20) of joining and leaving
	@scripts/test.sh soak

faults: build ## Run the fault matrix on real processes, beside Socket.IO's own chat: docs/reliability.md (FAULTS=word: some rows)
	@scripts/setup.sh faults
	@$(ENV) cargo build -q -p testkit --bin check
	@cd end2end && npx playwright test --project=faults $(if $(FAULTS),-g "$(FAULTS)")

bench: build ## Compare Hubbub with Socket.IO and a bare write loop, in turns: bench/results (BENCH="fanout hot": some measures)
	@scripts/setup.sh bench
	@$(ENV) cargo build -q --release -p bench && ulimit -n 20000 && target/release/bench $(BENCH)

bench-quick: build ## The same in under three minutes, one turn each
	@scripts/setup.sh bench
	@$(ENV) cargo build -q --release -p bench && ulimit -n 20000 && target/release/bench quick $(BENCH)

bench-growth: build ## Measure what a delivery costs as rooms grow and become many: docs/scaling.md
	@$(ENV) cargo build -q --release -p bench && ulimit -n 20000 && target/release/bench growth

hostile: build ## Measure what hostile clients do to a server with default limits: docs/reliability.md (HOSTILE=word: some rows)
	@ulimit -n 20000 && node end2end/hostile/main.mjs $(if $(HOSTILE),"$(HOSTILE)")

replicas: build ## Serve with PostgreSQL, Redis, three replicas and nginx on http://127.0.0.1:3000
	@scripts/setup.sh replicas
	@exec scripts/replicas.sh

clean: ## Remove what was built; the tools stay
	@rm -rf target
