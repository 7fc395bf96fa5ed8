"""Imported once by the server process that forks the traders of the sweep."""

import pytest  # noqa: F401  every fork imports the program that started the tests; so it has it already

from tests.faults.sweeping import prepare_server

prepare_server()
