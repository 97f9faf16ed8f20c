# edunet: `make run` installs and starts everything; `make help` lists the rest.
# Variables: PYTHON (an interpreter from 3.11 on), LISTEN (ADDRESS or ADDRESS:PORT of the pages), EDUNET_STATE_DIR.

SHELL := /bin/bash
PYTHON ?= /usr/bin/python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# Debian packages. For `make run`: these; fping is used where neither raw nor datagram ICMP is allowed.
RUN_PACKAGES := make git python3-venv fping
TEST_PACKAGES := make git python3-venv fping gcc python3-dev libssl-dev iproute2 nftables procps util-linux curl \
  snmp snmpd snmptrapd lldpd prometheus prometheus-alertmanager prometheus-snmp-exporter nats-server postgresql \
  chromium fonts-noto-cjk wrk tshark imagemagick docker-compose

ENGINE := $(wildcard probes/engine/*.py)
# Three at once on two cores: the end-to-end tests wait for real rounds most of their time (tests/conftest.py spreads them).
PYTEST_OPTIONS ?= -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help install run test check bench soak accuracy packages test-packages format clean FORCE
.DEFAULT_GOAL := help

help: ## What can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

packages:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "edunet needs Python 3.11 or newer: $(PYTHON) is missing or older. make PYTHON=/path/to/python3" >&2; exit 1; }
	@missing=; \
	command -v git >/dev/null || missing="$$missing git"; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	PATH="$$PATH:/usr/sbin:/sbin" command -v fping >/dev/null || missing="$$missing fping"; \
	if [ -n "$$missing" ]; then \
	  echo "缺少软件包 missing Debian packages:$$missing" >&2; \
	  echo "  sudo apt install$$missing        (all: $(RUN_PACKAGES))" >&2; \
	fi; \
	case "$$missing" in *python3-venv*) [ -x $(VENV)/bin/python ] || exit 1;; esac

# The interpreter of the environment, made anew when it is gone or broken.
$(VENV)/bin/python:
	@echo "== making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.locked: requirements.lock | $(VENV)/bin/python
	@echo "== 1/2 installing what edunet stands on (requirements.lock, every file checked by its hash)"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

# The engine was left in plain Python, and a compiler and the headers have come since: build it now.
CAN_BUILD := for h in "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" /usr/include/openssl/evp.h; do [ -e "$$h" ] || exit 1; done; command -v gcc
ifeq ($(EDUNET_ENGINE)$(wildcard $(VENV)/.plain),$(VENV)/.plain)
ifneq ($(shell $(CAN_BUILD)),)
$(VENV)/.installed: FORCE
endif
endif
FORCE:

$(VENV)/.installed: $(VENV)/.locked pyproject.toml setup.py $(ENGINE)
	@echo "== 2/2 installing edunet; with a C compiler and Python's headers the engine is compiled"
	@$(PIP) install --no-deps --no-build-isolation --no-index -e . \
	  || { echo "== the build failed: installing once more, with the engine in plain Python (slower)" >&2; \
	       EDUNET_ENGINE=python $(PIP) install --no-deps --no-build-isolation --no-index -e . ; }
	@$(VENV)/bin/edunet version --json | grep -q '"compiled".*"snmpv3_plain": false' && rm -f $(VENV)/.plain || touch $(VENV)/.plain
	@touch $@

install: packages $(VENV)/.installed ## Make .venv/bin/edunet
	@echo "== ready: $(VENV)/bin/edunet"; $(VENV)/bin/edunet version

run: install ## Install, then start everything on 127.0.0.1:8080 (LISTEN=ADDRESS:PORT for another)
	@exec $(VENV)/bin/edunet up $(if $(LISTEN),--listen '$(LISTEN)')

test-packages:
	@missing=$$(for name in $(TEST_PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$name 2>/dev/null | grep -q 'install ok installed' || echo -n " $$name"; done); \
	[ -n "$$missing" ] || exit 0; \
	echo "== Debian packages that the tests need:$$missing"; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then \
	  $$sudo apt-get update -q && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	else \
	  echo "missing, and neither root nor sudo to install them. As root:" >&2; \
	  echo "  apt-get update && apt-get install --no-install-recommends$$missing" >&2; exit 1; \
	fi

$(VENV)/.tests: requirements-test.lock | $(VENV)/bin/python
	@echo "== installing what the tests need (requirements-test.lock)"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

check: install $(VENV)/.tests ## Formatting, lints, types, import contracts
	@echo "== ruff format"; $(VENV)/bin/ruff format --check .
	@echo "== ruff check"; $(VENV)/bin/ruff check .
	@echo "== mypy"; $(VENV)/bin/mypy
	@echo "== import contracts"; $(VENV)/bin/lint-imports

test: test-packages ## `make check`, then the whole suite; installs what the tests need
	@$(MAKE) --no-print-directory check
	@echo "== pytest"; $(VENV)/bin/pytest $(PYTEST_OPTIONS) -m "not soak"

bench: install $(VENV)/.tests ## Benchmarks: ratios to peers, best of three
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(VENV)/bin/python $$file; done

soak: install $(VENV)/.tests ## The long runs
	@$(VENV)/bin/pytest -m soak -s tests

accuracy: install ## What `edunet probe device` reads right, by vendor, on the recordings in ../shared
	@$(VENV)/bin/python benchmarks/accuracy.py

format: $(VENV)/.tests ## Format the code
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

clean: ## Remove the environment and build files; state/ stays
	rm -rf $(VENV) build *.egg-info
