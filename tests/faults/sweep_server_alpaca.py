"""Imported once by the server process that forks the traders of the sweep at Alpaca."""

import importlib

import pytest  # noqa: F401  every fork imports the program that started the tests; so it has it already

for module in ("alpaca.trading.client", "alpaca.data.historical.stock", "tests.faults.sweeping_alpaca"):
    importlib.import_module(module)
