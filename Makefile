# From nothing to a running cluster: `make run`. Everything lives in .venv; `make clean` removes it.
# Needs python 3.11 or newer with venv, and a package index that pip knows.

PYTHON ?= python3
SEEDS ?= 300
JOBS ?= 2
MINUTES ?= 5
IMAGE ?= service-registry

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SOURCES := registry cluster tests bench

.DEFAULT_GOAL := help
.PHONY: help install run test test-docker check simulate chaos soak bench bench-gate image lock clean

help:
	@echo "make run              a local cluster of three durable replicas, in a terminal view"
	@echo "make install          the command registry, in .venv/bin"
	@echo "make test             every test that needs neither docker nor SAP HANA"
	@echo "make test-docker      those that need docker: the image, and clusters of containers"
	@echo "make check            ruff, mypy --strict, the architecture's rules"
	@echo "make simulate SEEDS=n simulated clusters under faults, n seeds"
	@echo "make chaos MINUTES=n  real replicas under real faults, and a page of it (SEED=s repeats)"
	@echo "make soak             the long figures of tests/SOAK.md"
	@echo "make bench            the measurements of bench/ (ARGS=\"--quick discovery\", ARGS=\"compare A.json B.json\", ARGS=--help)"
	@echo "make bench-gate       the few of them that are steady on any machine, in 20 s: red or green"
	@echo "make image            the container image (IMAGE=$(IMAGE))"
	@echo "make lock             pin the dependencies anew"
	@echo "make clean            remove what make made, but not what was measured or stored: bench/results and data stay"

install: $(VENV)/.installed

run: $(VENV)/.installed
	@exec $(VENV)/bin/registry dev $(ARGS)

test: $(VENV)/.installed-dev
	$(PY) -m pytest tests -m "not docker and not hana and not soak" $(ARGS)

# Without an engine they are left out, and the run says so; with CI=true that is a failure.
test-docker: $(VENV)/.installed-dev
	$(PY) -m pytest tests -m docker $(ARGS)

check: $(VENV)/.installed-dev
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m mypy $(SOURCES)
	$(PY) -m pytest -q tests/test_architecture.py

simulate: $(VENV)/.installed-dev
	$(PY) -m tests.simulation.run --seeds $(SEEDS) --jobs $(JOBS) $(ARGS)

chaos: $(VENV)/.installed-dev
	$(PY) -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: $(VENV)/.installed-dev
	$(PY) -m pytest tests -m soak $(ARGS)

bench: $(VENV)/.installed-dev
	$(PY) -m bench $(ARGS)

bench-gate: $(VENV)/.installed-dev
	$(PY) -m bench gate

image:
	docker build --file deploy/Dockerfile --tag $(IMAGE) $(ARGS) .

# -- the environment ------------------------------------------------------------------
# Packages come from the lock files alone, by hash. pysyncobj is published as source, so
# what builds it is locked as well and nothing is built in an unlocked environment.

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: $(PYTHON) is missing or older than Python 3.11; name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "make: $(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created requirements-build.lock requirements.lock requirements-grpc.lock requirements-hana.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-grpc.lock || \
	  echo "make: WARNING: no grpcio for this platform (see above); all but health checks over gRPC works" >&2
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-hana.lock || \
	  echo "make: WARNING: no hdbcli for this platform (see above); all but the HANA sink works" >&2
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Made under the oldest Python that is supported; markers keep the files true for newer ones.
# Local find-links are left out: their hashes would not be the index's.
COMPILE = env -u PIP_FIND_LINKS CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/lock/bin/pip-compile --quiet \
  --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host \
  --no-emit-find-links --no-emit-options --annotation-style line $(LOCK_ARGS)
EXTRA = $(PYTHON) -c 'import sys, tomllib; \
  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")'
GROUP = $(PYTHON) -c 'import sys, tomllib; \
  print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")'

lock: $(VENV)/.created
	test -x $(VENV)/lock/bin/pip-compile || { $(PYTHON) -m venv $(VENV)/lock && \
	  $(GROUP) lock | xargs -d '\n' $(VENV)/lock/bin/pip --disable-pip-version-check --quiet install; }
	$(GROUP) build | $(COMPILE) --output-file requirements-build.lock -
	$(COMPILE) --extra server --constraint requirements-build.lock --output-file requirements.lock pyproject.toml
	$(EXTRA) grpc | $(COMPILE) --constraint requirements.lock --output-file requirements-grpc.lock -
	$(EXTRA) hana | $(COMPILE) --constraint requirements.lock --output-file requirements-hana.lock -
	$(GROUP) dev | $(COMPILE) --constraint requirements.lock --output-file requirements-dev.lock -

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
