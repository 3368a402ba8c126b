# `make` lists the targets. Everything runs in .venv, which tools/install.py makes from the locks and keeps up to date.
PYTHON ?= python3
IN := .venv/bin/python -m
# Another torch, in an environment of its own that uv keeps in its cache.
TORCHES ?= 2.11 2.13 2.15
UV_RUN := $(IN) uv run --isolated --no-project --with numpy --with array-api-compat --with matplotlib --with platformdirs
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=600

# One thread per process: small arrays run faster so, and stored numbers do not depend on the machine's core count.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help setup lab test run notebooks seeds record base kill bench parity-matrix gpu-record wheels lock environment clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

lab:  ## open the course in JupyterLab, as your own copy in work/ (PYTHON=python3.12 picks the Python)
	@$(PYTHON) -m tools.install
	@$(IN) tools.lab $(ARGS)

setup:  ## for authors: .venv with everything in it (TORCH=cpu or TORCH=default picks PyTorch's build on Linux)
	@$(PYTHON) -m tools.install --dev

# Files in the order of their names: the notebooks, many and short, come last, so that no process waits for another.
test: setup  ## check everything: style, types, unit tests, every notebook and every solution
	$(IN) ruff check .
	$(IN) ruff format --check lessons_lib tests tools benchmarks
	$(IN) mypy lessons_lib tools
	$(IN) pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(NBVAL) --timeout=1200 tests notebooks

run: setup  ## execute the whole course into build/ and make a site of it (ARGS="--help" lists the options)
	$(IN) tools.run $(ARGS)

notebooks: setup  ## rebuild notebooks/ and solutions/ from lessons/
	$(IN) tools.build $(ARGS)

seeds: setup  ## run the solved lessons with 13 seeds and print the asserts that came closest to failing
	$(IN) tools.seeds $(ARGS)

record: setup  ## run the long experiments that lessons only show, and write their numbers under results/runs/
	$(IN) tools.record $(ARGS)

base: setup  ## pre-train the small language model that the lessons fine-tune, lessons_lib/models/base.safetensors
	$(IN) tools.base $(ARGS)

bench: setup  ## measure our speed against PyTorch
	$(IN) benchmarks.bench $(ARGS)

kill: setup  ## kill a training twenty times at random and see that it goes on to the same bits
	$(IN) tools.kill $(ARGS)

parity-matrix: setup  ## measure parity on every torch in TORCHES, and make results/parity.md
	for torch in $(TORCHES); do $(UV_RUN) --with torch==$$torch.* python -m tools.parity_page --measure || exit 1; done
	$(IN) tools.parity_page

gpu-record:  ## record parity and tests on this machine's GPU under results/gpu/ (needs torch, numpy, pytest)
	$(or $(wildcard .venv/bin/python),$(PYTHON)) -m tools.gpu_record $(ARGS)

wheels: setup  ## fetch what gpu-record needs on a machine without a network into build/wheels/
	sed -nE '/^(array-api-compat|safetensors|tokenizers|tqdm)==/,/[^\\]$$/p' requirements.lock > .venv/wheels.txt
	$(IN) pip download --quiet --no-deps --require-hashes -d build/wheels -r .venv/wheels.txt

COMPILE := $(IN) uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml
lock: setup  ## rewrite requirements.lock and requirements-dev.lock (what authors need on top) from pyproject.toml
	cat requirements.lock requirements-dev.lock > .venv/all.lock
	$(COMPILE) -o requirements.lock $(ARGS)
	$(COMPILE) -o .venv/all.lock --all-extras -c requirements.lock $(ARGS)
	awk 'NR == FNR {base[$$0]; next} /^[^ ]/ {new = !($$0 in base)} new' requirements.lock .venv/all.lock > requirements-dev.lock

environment: setup  ## rewrite environment.yml from pyproject.toml
	$(IN) pyproject2conda yaml --no-header --name lessons --extra dev --extra finetune --python 3.13 --req "-e ." \
	    --overwrite force -o environment.yml

clean:  ## delete build/, but for notebooks that a build has replaced
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name replaced -exec rm -rf {} +
