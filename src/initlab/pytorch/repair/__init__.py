"""Repair: the smallest change per root cause, measured before and after."""

from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._repair import Repair, Unrepaired, repair_
from initlab.pytorch.repair._training import Trained

__all__ = ["Change", "Repair", "Trained", "Unrepaired", "repair_"]
