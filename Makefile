# `make` lists the targets. Everything runs in .venv, which the first target that needs it creates from requirements.lock.
PYTHON ?= python3
# TORCH=cpu asks for the small CPU build of torch on Linux. The choice is kept until .venv is deleted.
TORCH ?= $(if $(wildcard .venv/ready-cpu),cpu,default)
READY := .venv/ready-$(TORCH)
IN := .venv/bin/python -m
UV := $(IN) uv pip install --python .venv/bin/python --compile-bytecode
# Another torch, in an environment of its own that uv keeps in its cache.
TORCHES ?= 2.11 2.13 2.15
UV_RUN := $(IN) uv run --isolated --no-project --with numpy --with array-api-compat --with matplotlib --with platformdirs
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=600

# One thread per process: small arrays run faster so, and stored numbers do not depend on the machine's core count.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help setup lab test run notebooks seeds bench parity-matrix gpu-record wheels lock environment clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: $(READY)  ## create .venv with everything in it (PYTHON=python3.12 picks the Python, TORCH=cpu the small torch)

lab: setup  ## open the course in JupyterLab
	$(IN) jupyterlab --ServerApp.ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/00_start_here.ipynb

test: setup  ## check everything: style, types, unit tests, every notebook and every solution
	$(IN) ruff check .
	$(IN) ruff format --check lessons_lib tests tools benchmarks
	$(IN) mypy lessons_lib tools
	$(IN) pytest -n logical --maxprocesses 4 --dist loadfile $(NBVAL) --timeout=1200 tests notebooks

run: setup  ## execute the whole course into build/ and make a site of it (ARGS="--help" lists the options)
	$(IN) tools.run $(ARGS)

notebooks: setup  ## rebuild notebooks/ and solutions/ from lessons/
	$(IN) tools.build $(ARGS)

seeds: setup  ## run the solved lessons with 13 seeds and print the asserts that came closest to failing
	$(IN) tools.seeds $(ARGS)

bench: setup  ## measure our speed against PyTorch
	$(IN) benchmarks.bench $(ARGS)

parity-matrix: setup  ## measure parity on every torch in TORCHES, and make results/parity.md
	for torch in $(TORCHES); do $(UV_RUN) --with torch==$$torch.* python -m tools.parity_page --measure || exit 1; done
	$(IN) tools.parity_page

gpu-record:  ## record parity and tests on this machine's GPU under results/gpu/ (needs torch, numpy, pytest)
	$(or $(wildcard .venv/bin/python),$(PYTHON)) -m tools.gpu_record $(ARGS)

wheels: setup  ## fetch what gpu-record needs on a machine without a network into build/wheels/
	sed -n '/^array-api-compat==/,/[^\\]$$/p' requirements.lock > .venv/wheels.txt
	$(IN) pip download --quiet --no-deps --require-hashes -d build/wheels -r .venv/wheels.txt

lock: setup  ## rewrite requirements.lock from pyproject.toml
	$(IN) uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header --no-annotate \
	    pyproject.toml -o requirements.lock $(ARGS)

environment: setup  ## rewrite environment.yml from pyproject.toml
	$(IN) pyproject2conda yaml --no-header --name lessons --extra dev --python-include infer --req "-e ." \
	    --overwrite force -o environment.yml

clean:  ## delete build/
	rm -rf build

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1)' || { echo \
	    "This course needs Python 3.11 or newer, and $(PYTHON) is not. Name a newer one: make PYTHON=python3.12 lab"; exit 1; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	$(IN) pip install --quiet --require-hashes -r .venv/uv.txt
ifeq ($(TORCH),default)
	$(UV) --require-hashes -r requirements.lock
	$(UV) --no-deps --no-build-isolation -e .
else
	$(UV) --no-verify-hashes --torch-backend $(TORCH) -c requirements.lock -e ".[dev]"
endif
	@mkdir -p .venv/share/jupyter/lab/settings && cp tools/overrides.json .venv/share/jupyter/lab/settings
	@rm -f .venv/ready-* && touch $@
