"""The synthetic results of the figures' tests, for the report's."""

import importlib.util
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[1] / "figures" / "conftest.py"


@pytest.fixture
def results_of():
    spec = importlib.util.spec_from_file_location("synthetic_results", _FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.synthetic
