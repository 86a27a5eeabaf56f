"""Models are seeded; the small networks are those of the capture's tests."""

import sys
from pathlib import Path

import pytest
import torch

# The machine's cores are shared; threads of small tensors only wait for each other.
torch.set_num_threads(1)
sys.path.insert(0, str(Path(__file__).parents[1] / "capture"))


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
