# Two commands do everything on a fresh machine: `make demo` and `make test`; `make quick` is for while you work.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?= data
WEIGHTS ?= weights
PEERS ?= peers

.PHONY: demo test quick lint docs architecture bench bench-peers environment wheel test-oldest clean

# Folders whose tests need no trained model; what is slow in them is marked so.
QUICK := $(addprefix tests/,cli comparison dataset evaluation label_errors learning maps rolemodels space \
	weights test_architecture.py test_cli.py test_console.py)

environment: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: environment
	$(BIN)/doppelgram demo --out demo

test: environment lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

quick: environment
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m 'not slow' $(QUICK)

# The wheel alone in a fresh environment: first steps, sentences for absent extras, sizes. Takes minutes.
wheel:
	$(PYTHON) tools/try_wheel.py

# The same selection as `make quick`, and more of the tests that need no weights, on the oldest versions that
# pyproject.toml allows. Takes minutes; nothing is resolved, since constraints-oldest.txt names everything.
OLDEST ?= .venv-oldest
OLDEST_TESTS := $(QUICK) $(addprefix tests/,images models pose reports saliency samples scikit_learn)

test-oldest: $(OLDEST)/.installed
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -n 2 -m 'not slow' $(OLDEST_TESTS)

$(OLDEST)/.installed: constraints-oldest.txt
	test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r constraints-oldest.txt
	$(OLDEST)/bin/python -m pip check
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documents as a site, build/site/index.html. A broken link or anchor stops it; with --quiet it would not.
docs: environment
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# docs/architecture.png from the imports.
architecture: environment
	$(BIN)/python tools/draw_architecture.py

# The figures that docs/benchmarks.md quotes. DATA and WEIGHTS name folders with the real photographs and weights.
# calibration.py is not among them: it asks runs and vectors that one names, see its first lines.
bench: environment
	$(BIN)/python benchmarks/batch_hard.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/signs.py --data $(DATA)
	$(BIN)/python benchmarks/faces.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/choosing.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/tsne.py
	$(BIN)/python benchmarks/page.py --network $(WEIGHTS)/mobilenet_v2_imagenet
	$(BIN)/python benchmarks/page_map.py
	$(BIN)/python benchmarks/teaching.py --data $(DATA) --weights $(WEIGHTS) --cache teaching_cache
	$(BIN)/python benchmarks/rolemodels.py
	$(BIN)/python benchmarks/rolemodels_null.py
	$(BIN)/python benchmarks/rolemodels_scale.py
	$(BIN)/python benchmarks/cluster.py --data $(DATA)/lfw
	$(BIN)/python benchmarks/costs.py
	$(BIN)/python benchmarks/ddp.py
	$(BIN)/python benchmarks/kills.py
	$(BIN)/python benchmarks/lookalike.py --data $(DATA)
	$(BIN)/python benchmarks/keypoints.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/posts.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/ladder.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/tracing.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/captures.py
	$(BIN)/python benchmarks/ready_made.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/ready_made_faces.py --data $(DATA)
	$(BIN)/python benchmarks/saliency.py --data $(DATA)
	$(BIN)/python benchmarks/same_view.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/rolemodels_power.py
	$(BIN)/python benchmarks/embedding.py --data $(DATA) --weights $(WEIGHTS)
	$(BIN)/python benchmarks/search.py --photographs $(DATA)/lfw $(DATA)/landmarks --cache search_cache
	$(BIN)/python benchmarks/duplicates.py --photographs $(DATA)/lfw $(DATA)/landmarks --cache search_cache

# docs/peers.md: the project beside other tools, each in an environment of its own in PEERS, installed on first use.
bench-peers: environment
	$(BIN)/python benchmarks/peers/run.py --data $(DATA) --weights $(WEIGHTS) --peers $(PEERS)

clean:
	rm -rf demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
