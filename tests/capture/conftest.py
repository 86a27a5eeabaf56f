"""Models are seeded: a test reads the same weights whatever ran before."""

import pytest
import torch

# The machine's cores are shared; threads of small tensors only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
