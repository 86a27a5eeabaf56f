"""A model's tensors in a safetensors file: no pickle, every key kept."""

from pathlib import Path

from torch import nn

from initlab.errors import MissingExtraError, OutputError
from initlab.results import WEIGHTS, as_path, refuse_unwritable


def save_weights(model: nn.Module, path: str | Path) -> Path:
    """Write a model's `state_dict` as safetensors, and return the path.

    Tied tensors are written under each of their keys, so that the file has the keys
    that the model has.

    Args:
        model: Any module.
        path: Of the file; written under a temporary name and moved into place.

    Raises:
        InvalidValueError: If it ends in something else than .safetensors.
        OutputError: If it cannot be written there.
        MissingExtraError: If safetensors is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(nn.Linear(2, 1), f"{folder}/repaired.safetensors").name
        'repaired.safetensors'
    """
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise MissingExtraError(
            "safetensors is not installed; pip install initlab[pytorch]"
        ) from None
    target = as_path(path, "path")
    refuse_unwritable(target, "path", ends=WEIGHTS)
    unfinished = target.with_name(f".{target.name}.unfinished")
    tensors = {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in model.state_dict().items()
    }
    try:
        # safetensors leaves files that only their owner can read.
        unfinished.touch()
        mode = unfinished.stat().st_mode
        save_file(tensors, unfinished)
        unfinished.chmod(mode)
        unfinished.replace(target)
    except Exception as error:  # safetensors has an exception of its own for OSError
        raise OutputError(f"{target}: cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target
