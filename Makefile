# purser. The two commands of the README: make run, make test.
SHELL := /bin/bash
DATA  ?= purser-data
BIN   := bin/purser
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: run build dist test test-long unit conformance simulate verify generate bench clean help

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

run: build ## build and serve a demo cloud on http://127.0.0.1:8080 (https on 8443)
	./$(BIN) serve --demo --test-clock --data $(DATA) --listen 127.0.0.1:8080 --tls-listen 127.0.0.1:8443

build: ## build bin/purser (Go alone is enough)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/purser

dist: ## what is handed out: binaries for five systems, checksums, bills of materials
	VERSION=$(VERSION) tools/dist

test: ## everything, from a fresh machine: checks, rooms on both databases, the three SDKs
	@test/needs
	@$(MAKE) --no-print-directory verify unit conformance

# SQLite is machine-made from C and slow when watched for races; all of modernc.org would be too much: generic code linked from there is sync.Map's too.
RACE := -race -gcflags='modernc.org/sqlite/lib=-race=false'

ROOMS := $$(go list ./... | grep -v /test/)

unit: ## the rooms on SQLite (watched for races) and on PostgreSQL, and the whole server on both
	go test -p 3 $(RACE) -timeout 20m $(ROOMS)
	PURSER_TEST_SQLITE=off test/with-postgres go test -p 3 -timeout 20m $(ROOMS)
	test/with-postgres go test -p 3 -timeout 20m ./test/...

conformance: build ## the official Python and Java SDKs against a demo cloud (Go's are part of unit)
	test/conformance/run ./$(BIN)

test-long: ## what takes over two minutes: longer property tests and fuzzing
	test/with-postgres go test $(RACE) -count=1 -timeout 6h ./... -rapid.checks=20000
	PURSER_LONG=1 test/with-postgres go test -v -count=1 -timeout 6h -run 'Day|Kill|GoesAway|FullDisk|Nodes|Arrival|Outside|Upgrade' ./test/reference ./test/cli ./internal/operation ./internal/queue
	test/at month-end 150 test/with-postgres go test -p 2 -count=1 -timeout 1h ./test/... && $(MAKE) --no-print-directory build && test/failover ./$(BIN) && test/faults ./$(BIN) 10
	go test -run '^$$' -fuzz FuzzCheckBody -fuzztime 60s ./internal/contract
	go test -run '^$$' -fuzz FuzzReadDocuments -fuzztime 60s ./internal/catalog

simulate: ## a life of the whole house with accidents: SEED=1 SEEDS=1 DAYS=365 CUSTOMERS=20 BUSY=10 (days of 100) CHECK=0 (days; 0: half-years) YEARLY=1
	SIM_SEED=$(or $(SEED),1) SIM_SEEDS=$(or $(SEEDS),1) SIM_DAYS=$(or $(DAYS),365) SIM_CUSTOMERS=$(or $(CUSTOMERS),20) SIM_BUSY=$(or $(BUSY),10) \
	SIM_CHECK=$(or $(CHECK),0) SIM_YEARLY=$(or $(YEARLY),1) go test -count=1 -timeout 24h -v -run TestSimulatedLife ./test/simulation

verify: ## format, vet, lint; generated code is fresh
	@test/verify

generate: ## write what follows from api/*.yaml
	tools/generate

bench: build ## the figures, as ratios in one run; BENCH=long for the big ones
	test/bench/run ./$(BIN)

clean: ## remove what was built (not the data)
	rm -rf bin dist .cache
