# `just` lists these. Each runs in the environment that uv keeps in .venv.

_default:
    @just --list

# Everything that has to hold before a commit.
check:
    uv run ruff format --check .
    uv run ruff check .
    uv run pyright
    uv run lint-imports
    uv run pytest

# The tests that take no building, installing or killing. `just test tests/unit/risk` runs a part.
test *ARGS:
    uv run pytest {{ARGS}}

# The others: the wheel, a fresh clone, real processes that are killed.
slow *ARGS:
    uv run pytest -m "slow and not endurance" -n 2 {{ARGS}}

# Real servers and kills: control by flows, crashes, the watchdog's rules, whole sweeps. Before a release.
endurance *ARGS:
    uv run pytest -m endurance -n 2 {{ARGS}}

# Put everything into the house's format, and mend what can be mended by machine.
format:
    uv run ruff format .
    uv run ruff check --fix .

# One benchmark by its file name, `just bench cycle_start 5`; measure on a quiet machine.
bench NAME *ARGS:
    uv run python benchmarks/{{NAME}}.py {{ARGS}}

# Trade the next session: `just cycle --sessions 5`.
cycle *ARGS:
    uv run python flows/cycle.py {{ARGS}}
