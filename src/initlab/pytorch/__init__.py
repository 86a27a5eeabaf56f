"""PyTorch models: their starting weights checked.

>>> import torch
>>> from torch import nn
>>> from initlab import pytorch
>>> _ = torch.manual_seed(0)
>>> model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
>>> pytorch.check(model, torch.randn(64, 8)).sound
True
"""

from initlab.analysis.findings import Finding
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis

__all__ = ["Diagnosis", "Finding", "check"]
