"""PyTorch models: their starting weights checked, drawn and repaired.

>>> import torch
>>> from torch import nn
>>> from initlab import pytorch
>>> _ = torch.manual_seed(0)
>>> model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
>>> pytorch.check(model, torch.randn(64, 8)).sound
True
>>> pytorch.initialize_(model, "he_normal", seed=0).drawn
('0.weight', '2.weight')
"""

from initlab.analysis.findings import Finding
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch._draws import draw_weight
from initlab.pytorch._initialization import Initialization, Initialized
from initlab.pytorch._initialize import initialize_
from initlab.pytorch._lsuv import lsuv_
from initlab.pytorch._mu_p import mu_p
from initlab.pytorch._recipes import fixup_, t_fixup_, zero_branch_ends_
from initlab.pytorch._width_law import WidthLaw, width_law
from initlab.pytorch.repair import Repair, repair_

__all__ = [
    "Diagnosis",
    "Finding",
    "Initialization",
    "Initialized",
    "Repair",
    "WidthLaw",
    "check",
    "draw_weight",
    "fixup_",
    "initialize_",
    "lsuv_",
    "mu_p",
    "repair_",
    "t_fixup_",
    "width_law",
    "zero_branch_ends_",
]
