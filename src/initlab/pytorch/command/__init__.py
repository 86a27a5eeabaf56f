"""What `initlab check` does with what was typed, once PyTorch is there."""

from initlab.pytorch.command._asked import Asked, check_target, repair_target

__all__ = ["Asked", "check_target", "repair_target"]
