# Sluice. `make help` lists the targets.
SHELL   := bash
MODULES := shared services/ingress services/worker services/sluice services/sluice/e2e
FLAGS   := -trimpath -tags grpcnotrace -ldflags '-s -w'
export GOFLAGS := -buildvcs=false
export CGO_ENABLED ?= 0

.PHONY: help run build test check bench soak run-cloud tidy clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start the gateway on this machine: http://127.0.0.1:4000
	@bin/sluice serve $(ARGS)

build: ## put sluice, ingress and worker into bin/
	@mkdir -p bin
	@go build $(FLAGS) -o bin/ ./services/sluice/cmd/sluice ./services/ingress/cmd/ingress ./services/worker/cmd/worker

test: ## run all tests, with the emulators if they are on this machine
	@scripts/test

check: ## formatting, vet, module files, generated files
	@scripts/check

bench: build ## measure the gateway beside a plain reverse proxy
	@scripts/bench $(ARGS)

soak: ## the long tests: kill tests and random schedules in full, SLUICE_SOAK_RUNS (100) storms on budgets: hours
	@SLUICE_SOAK=1 scripts/test

run-cloud: build ## the cloud services, against Google's emulators on this machine
	@scripts/run-cloud

tidy: ## go mod tidy in every module
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done

clean: ## remove bin/
	@rm -rf bin
