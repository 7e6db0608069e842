# Two commands on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin
LABEL_STUDIO_VENV := .venv-label-studio

.PHONY: demo test check audit environments programs down clean

demo: .venv/.installed ## two rounds of the whole loop; PEOPLE=1 leaves the questions to you
	$(BIN)/groundtruth demo $(if $(PEOPLE),--people)

test: environments programs ## the whole suite, on real servers and in a real browser
	$(BIN)/python -m pytest

check: .venv/.installed ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: .venv/.installed ## known vulnerabilities, and the bill of materials (sbom.json)
	$(BIN)/python -m deployments.supply_chain audit
	$(BIN)/python -m deployments.supply_chain bill sbom.json
	$(BIN)/python -m deployments.supply_chain check sbom.json

down: ## stop the servers that the demo started
	$(BIN)/groundtruth down

environments: .venv/.installed $(LABEL_STUDIO_VENV)/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# The Label Studio server pins libraries that Prefect needs newer: it lives on its own.
$(LABEL_STUDIO_VENV)/.installed: .venv/.installed deployments/label-studio-constraints.txt
	$(BIN)/python -m deployments.label_studio
	touch $@

# What the tests need and pip cannot install: a browser, PostgreSQL, nginx, a spreadsheet, fonts to
# read by.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
programs:
	@if ! command -v chromium >/dev/null \
	  || ! command -v soffice >/dev/null \
	  || ! command -v nginx >/dev/null \
	  || ! ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 \
	  || ! fc-list :lang=ja | grep -q . ; then \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends \
	  chromium postgresql nginx-light libreoffice-calc fontconfig fonts-noto-cjk fonts-noto-core ; fi

clean: ## remove the environments, not the data
	rm -rf .venv $(LABEL_STUDIO_VENV)
