# The only commands to know:
#   make demo    three fictitious cases from register row to verified archive package
#   make test    everything that must hold, on the real components; with CASEFILE_THOROUGH=1 every hostile file,
#                2 000 mutations and 100 kills instead of a sample
#   make bench   speed and memory beside the named peers
#   make gallery contact sheets of all templates, in build/gallery/
#   make check   style, types, layers
# Each does all the set-up on a bare Debian 12 with Python 3.11.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: demo test bench gallery check lock clean

demo: $(STAMP)
	$(BIN)/casefile demo demo-workspace

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(STAMP)
	tests/benchmarks/peers.sh || echo "unoserver can't be had and is left out"
	$(BIN)/python tests/benchmarks/render_bench.py --many 2000
	$(BIN)/python tests/benchmarks/bind_bench.py --big
	$(BIN)/python tests/benchmarks/normalise_bench.py

gallery: $(STAMP)
	$(BIN)/python tests/benchmarks/gallery.py build/gallery

check: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): requirements.lock pyproject.toml setup.sh
	./setup.sh "$(PYTHON)"
	@touch $@

lock:
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --extra dev --extra ocr \
	  --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf .venv demo-workspace build
