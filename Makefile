# Two commands: `make run` computes and draws, `make test` doubts. Both set up .venv on first use.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# nproc counts OMP_NUM_THREADS, which many have set to 1.
CORES ?= $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2>/dev/null || echo 1)
ARGS ?=
BIN := .venv/bin
RUN_STAMP := .venv/.installed-run
DEV_STAMP := .venv/.installed-dev

# A job is a short process: where no bytecode is kept, each compiles hundreds of modules again, two seconds.
unexport PYTHONDONTWRITEBYTECODE

# One thread per process: jobs run side by side.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

RUN := python -m qmfront.progress -- python -m snakemake --cores $(CORES)

.PHONY: help run gallery paper plan unlock progress journal report docs test lint format schema lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16
	@echo "  make STAGE      up to a stage of the default study: $(STAGES) check summary verdict"
	@echo "  CORES=4 limits the cores; ARGS='...' is handed on, such as ARGS='--dry-run'"

run: $(RUN_STAMP) ## the default study: an edge dislocation and a crack in tungsten, figures included; minutes
	@$(RUN) $(ARGS)
	@$(call say_where)

gallery: $(RUN_STAMP) ## all else about these two defects: potentials, markings, domains; an hour or two
	@$(RUN) $(ARGS) --configfile config/studies/gallery.yaml
	@$(call say_where)

paper: $(RUN_STAMP) ## the same at the scale of the paper: hours
	@$(RUN) $(ARGS) --configfile config/studies/paper.yaml
	@$(call say_where)

plan: $(RUN_STAMP) ## what the cases will cost, before it is spent: results/plan; ARGS='--configfile FILE'
	@python -m snakemake plans --cores $(CORES) $(ARGS)

# The stages, in their order. Snakemake has them as all_STAGE: the name alone is that of the rule of one case.
STAGES := preflight bulk surface training potential intervals structure operators start mismatch locality far_field \
	reference solve adapt convergence energy clamp figures
.PHONY: $(STAGES) check summary verdict

$(STAGES): $(RUN_STAMP)
	@$(RUN) all_$@ $(ARGS)

check summary verdict: $(RUN_STAMP)
	@$(RUN) $@ $(ARGS)

unlock: $(RUN_STAMP) ## take away the lock of a run on another machine, of which you know that it is dead
	@python -m snakemake --unlock --cores 1 $(ARGS)

progress: $(RUN_STAMP) ## what a run is doing: jobs, iterations, estimates, QM calls
	@python -m qmfront.progress

journal: $(RUN_STAMP) ## the finished QM evaluations: how many, how old, how large; ARGS=--check reads them, --delete asks; 'export FILE', 'import FILE'
	@python -m qmfront.evaluate.inventory work/journal $(ARGS)

report: $(RUN_STAMP) ## report.html with every figure and how it was made
	@python -m snakemake --report report.html $(ARGS)
	@echo "The report is report.html"

docs: $(DEV_STAMP) ## the documentation as a site that opens without a network: site/index.html
	@NO_MKDOCS_2_WARNING=1 python -m mkdocs build --quiet
	@echo "The documentation is site/index.html"

test: $(DEV_STAMP) ## the tests; ARGS='-m slow' runs the slow ones
	@python -m pytest -n $(CORES) --no-loadscope-reorder $(ARGS)

lint: $(DEV_STAMP) ## style, workflow, layers of imports, types and schemas
	@python -m ruff check .
	@python -m ruff format --check .
	@python -m snakefmt --check Snakefile workflow
	@python -m snakemake --lint
	@lint-imports --no-cache | sed -n "/^Analyzed/,\$$p"
	@python -m mypy
	@python -m qmfront.config.schema --check

format: $(DEV_STAMP) ## write code in the project's style
	@python -m ruff check --fix-only --quiet .
	@python -m ruff format .
	@python -m snakefmt Snakefile workflow

schema: $(RUN_STAMP) ## write workflow/schemas and docs/settings.md from the typed settings
	@python -m qmfront.config.schema

# Keeps the versions that are there; ARGS=--upgrade looks for newer ones.
COMPILE := python -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --quiet
lock: $(DEV_STAMP) ## pin the requirements of pyproject.toml again
	@$(COMPILE) $(ARGS) pyproject.toml -o envs/requirements.lock
	@$(COMPILE) -c envs/requirements.lock $(ARGS) --extra dev pyproject.toml -o envs/requirements-dev.lock
	@echo uv | $(COMPILE) $(ARGS) - -o envs/installer.lock

clean: ## remove results, figures and caches; keeps .venv and the journal of QM evaluations
	@rm -rf results figures logs site report.html .mypy_cache .pytest_cache .ruff_cache .snakemake
	@find qmfront scripts tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
	@[ ! -d work/journal ] || echo "Kept the journal of QM evaluations, $$(du -sh work/journal | cut -f1): make journal ARGS=--delete deletes it"
	@[ ! -d .venv ] || echo "Kept the environment: rm -r .venv deletes it"

$(RUN_STAMP): envs/requirements.lock envs/installer.lock envs/bootstrap.sh
	@sh envs/bootstrap.sh envs/requirements.lock
	@touch $@

# requirements-dev.lock contains requirements.lock, so it serves both.
$(DEV_STAMP): envs/requirements-dev.lock envs/requirements.lock envs/installer.lock envs/bootstrap.sh
	@sh envs/bootstrap.sh envs/requirements-dev.lock
	@touch $(RUN_STAMP) $@

# The last lines of a run. Snakemake's own log says whether there was anything to do.
define say_where
last=$$(ls -t .snakemake/log/*.log 2>/dev/null | head -n 1 || true); \
if [ -n "$$last" ] && grep -q 'Nothing to be done' "$$last"; then echo "Everything was up to date: nothing was computed."; fi; \
if compgen -G 'figures/*' >/dev/null; then echo "The figures are in figures/: $$(cd figures && echo *.png)"; fi
endef
