"""Models are seeded, and one thread is enough for their sizes."""

import sys
from pathlib import Path

import pytest
import torch

# The small networks are those of the capture's tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "capture"))


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector):
    """Draw what a module draws at its import alike, whatever was collected before."""
    if isinstance(collector, pytest.Module):
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _seeded_on_one_thread():
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def vectors():
    """64 examples of 16 numbers."""
    return torch.randn(64, 16)


@pytest.fixture
def labels():
    """Of `vectors`, one of five."""
    return torch.randint(5, (64,))
