.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV ?= .venv
EXTRA ?= dev
# Tests wait for processes: one more at a time than there are cores keeps these busy.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PROFILE ?= short
SEED ?= 1
FACES ?= 100000 1000000
DIMENSIONS ?= 128
GALLERY_ALBUMS ?= 1
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(EXTRA)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml requirements/$(EXTRA).lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --no-deps -r requirements/$(EXTRA).lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

setup: $(STAMP) ## Make the virtual environment from the lock file (EXTRA=dev, cpu or gpu)

test: $(STAMP) ## Lint, types, import rules and every test
	$(MAKE) check
	# A process that dies fails the run at once: its replacement would wait for ever. BLAS shares the cores with the others.
	# Files in their order, long ones (chaos, e2e) first: xdist would begin with those of many tests, and wait for the long.
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0

test-web: $(STAMP) ## Walk the web page in Chromium (apt-get install chromium); pictures of it go to web-screenshots/
	rm -rf web-screenshots
	$(BIN)/pytest -n 2 --dist loadfile tests/web

check: $(STAMP) ## Lint, types and import rules only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(STAMP) ## Format the code and mend what lint can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: $(STAMP) ## Draw an album, index it, search it with three selfies, write demo-report.html
	$(BIN)/python -m demo

demo-pack: $(STAMP) ## Train the bundled pack again (two to three hours on two cores, less with a GPU; installs PyTorch)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[demo-train]'
	$(BIN)/python -m demo.training
	$(MAKE) demo-pack-calibration

demo-pack-calibration: $(STAMP) ## Measure what the bundled pack's similarities mean, on drawn people (two minutes)
	people=$$(mktemp -d) && $(BIN)/python -m demo.calibration_faces $$people && \
		FACEFLEET_MODEL_PACK=demo $(BIN)/facefleet calibrate $$people; status=$$?; rm -rf $$people; exit $$status

demo-pack-eval: $(STAMP) ## Measure the bundled pack on people it never saw
	$(BIN)/python -m demo.evaluation

up: $(STAMP) ## Run everything in one process
	$(BIN)/facefleet up

bench: $(STAMP) ## Measure every bar in a quarter of an hour: beside FaceAnalysis and naive Celery, searches, start, stages
	$(BIN)/python -m tests.benchmarks

bench-gallery: $(STAMP) ## Search 100,000 and a million faces, face by face and by an index (an hour; FACES, DIMENSIONS, GALLERY_ALBUMS)
	$(BIN)/python -m tests.benchmarks.gallery --index --faces $(FACES) --dimensions $(DIMENSIONS) --albums $(GALLERY_ALBUMS)

bench-fleet: $(STAMP) ## Index 10,000 keys out of S3 with a fleet of processes on two cores (KEYS, DISTINCT, CORES, PACK)
	$(BIN)/pytest -q -s -p no:logging tests/benchmarks/bench_fleet.py

bench-web: $(STAMP) ## Measure the web page in Chromium: first paint, search, weight, and scrolling through 50,000 photos
	$(BIN)/pytest -q -s -p no:logging tests/web/bench_web.py

bench-capacity: $(STAMP) ## Simulate a thousand worlds under several autoscalers (a quarter of an hour on two cores)
	$(BIN)/python -m tests.benchmarks.capacity

bench-people: $(STAMP) ## Measure how well, how fast and in how much memory faces become people (a quarter of an hour on two cores)
	$(BIN)/python -m tests.benchmarks.bench_people

restore-drill: $(STAMP) ## Back up a fleet's ledger, lose it and the gallery, restore, and see that searches answer as before
	$(BIN)/pytest -q -s --show-capture=no -p no:logging tests/e2e/restore_drill.py

# Its rows wait more than other tests do.
chaos: JOBS := 4
# Each of its processes would take a second longer to start.
chaos: UNUSED_PLUGINS := logging schemathesis hypothesispytest anyio
chaos: $(STAMP) ## Kill, freeze and cut off everything while albums are indexed, beside plain Celery (PROFILE=short or long, SEED)
	rm -rf chaos-results
	PROFILE=$(PROFILE) SEED=$(SEED) $(BIN)/pytest -q --show-capture=no $(patsubst %,-p no:%,$(UNUSED_PLUGINS)) \
		tests/chaos/matrix.py -n $(JOBS) --dist loadscope --no-loadscope-reorder
	$(BIN)/python -m tests.chaos.report chaos-results chaos-table.md

env-example: $(STAMP) ## Write .env.example from the settings class
	$(BIN)/python -m cli.env_example > .env.example

openapi: $(STAMP) ## Write docs/openapi.json from the routes
	$(BIN)/python -m api.openapi_document > docs/openapi.json

images: ## Build the images of api and worker with docker, podman or buildah (BASE_IMAGE, TAG, BUILD_OPTIONS)
	infra/images/build.sh api worker

lock: $(STAMP) ## Pin every dependency again, with hashes
	echo uv | $(BIN)/uv pip compile - $(UV_LOCK) -o requirements/uv.lock
	$(BIN)/uv pip compile pyproject.toml $(UV_LOCK) --extra dev --extra openvino --extra heic -o requirements/dev.lock
	$(BIN)/uv pip compile pyproject.toml $(UV_LOCK) --extra openvino --extra heic -o requirements/cpu.lock
	$(BIN)/uv pip compile pyproject.toml $(UV_LOCK) --extra gpu --extra heic --override requirements/gpu.override -o requirements/gpu.lock

UV_LOCK := --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: help setup test test-web check fmt demo demo-pack demo-pack-calibration demo-pack-eval up bench bench-gallery bench-fleet bench-web bench-capacity bench-people restore-drill chaos env-example openapi images lock
