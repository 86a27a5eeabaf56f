"""Training mode, as training sees it, but with nothing random."""

import inspect

from torch import nn

from initlab.capture._failures import ModelRunError

# Normalizations of the batch need it, and are what training sees.
_KEEPS_TRAINING = ("Norm", "RNN", "LSTM", "GRU")


def set_modes(model: nn.Module) -> None:
    """Set training mode; leaves without weights, as dropout, are set to eval.

    Raises:
        ModelRunError: If the model has a `train` or attributes of its own that refuse.
    """
    try:
        _set_modes(model)
    except Exception as error:
        said = (str(error).strip().splitlines() or ["no text"])[0]
        raise ModelRunError(
            f"cannot be set to training mode, in which it is read: "
            f"{type(error).__name__}: {said}; give it a train() that can be called",
            argument="model",
        ) from error


def _set_modes(model: nn.Module) -> None:
    _set_training(model)
    for module in model.modules():
        leaf = not any(True for _ in module.children())
        bare = not any(True for _ in module.parameters(recurse=False)) and not any(
            True for _ in module.buffers(recurse=False)
        )
        if (
            leaf
            and bare
            and not any(k in type(module).__name__ for k in _KEEPS_TRAINING)
        ):
            module.training = False


def _set_training(model: nn.Module) -> None:
    """Call `train()`, which may keep frozen norms out, unless it is something else."""
    if all(_switches_mode(module) for module in model.modules()):
        model.train()
        return
    for module in model.modules():
        module.training = True


def _switches_mode(module: nn.Module) -> bool:
    """Whether a module's `train` is torch's, or one like it: not a loop over data."""
    if type(module).train is nn.Module.train and "train" not in vars(module):
        return True
    first = next(iter(inspect.signature(module.train).parameters.values()), None)
    return first is not None and first.default is True
