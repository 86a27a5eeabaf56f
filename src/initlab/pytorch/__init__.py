"""PyTorch models: their starting weights checked, drawn and repaired.

>>> from torch import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
>>> initialize_(model, "he_normal", seed=0).drawn
('0.weight', '2.weight')
"""

from initlab.pytorch._draws import draw_weight
from initlab.pytorch._initialization import Initialization, Initialized
from initlab.pytorch._initialize import initialize_
from initlab.pytorch._lsuv import lsuv_
from initlab.pytorch._mu_p import mu_p
from initlab.pytorch._recipes import fixup_, t_fixup_, zero_branch_ends_

__all__ = [
    "Initialization",
    "Initialized",
    "draw_weight",
    "fixup_",
    "initialize_",
    "lsuv_",
    "mu_p",
    "t_fixup_",
    "zero_branch_ends_",
]
