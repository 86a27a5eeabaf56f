"""Repair: the smallest change per root cause, measured before and after."""

from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._repair import Repair, repair_
from initlab.pytorch.repair._training import Trained
from initlab.pytorch.repair._unrepaired import Unrepaired

__all__ = ["Change", "Repair", "Trained", "Unrepaired", "repair_"]
