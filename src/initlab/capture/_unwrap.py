"""The module that holds the weights: out of wrappers, with nothing left lazy."""

import copy
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, is_lazy

from initlab.capture._restoring import restoring
from initlab.errors import InvalidValueError

_WRAPPERS = ("DistributedDataParallel", "DataParallel")


def unwrapped(model: nn.Module) -> nn.Module:
    """Return a model out of `torch.compile` and (Distributed)DataParallel.

    Raises:
        InvalidValueError: If it is no module, or one that cannot be read.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> unwrapped(nn.DataParallel(layer)) is layer
        True
    """
    if not isinstance(model, nn.Module):
        raise InvalidValueError(
            f"a torch.nn.Module, got {type(model).__name__}", argument="model"
        )
    for _ in range(8):
        if isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod  # type: ignore[assignment]
        elif type(model).__name__ in _WRAPPERS:
            model = model.module  # type: ignore[assignment]
        else:
            break
    if isinstance(model, torch.jit.ScriptModule):
        raise InvalidValueError(
            "a scripted module hides its functions; give the module before "
            "torch.jit.script or trace",
            argument="model",
        )
    if any(t.is_meta for t in _tensors(model)):
        raise InvalidValueError(
            "its tensors are on the meta device and have no values; "
            "initialize it first",
            argument="model",
        )
    return model


def refuse_untrainable(model: nn.Module) -> None:
    """Refuse what can be initialized, but not run here as training runs it.

    Raises:
        InvalidValueError: If it was exported, if other processes hold parts of it, if
            its tensors can have no gradients, or a parameter cannot be written.
    """
    refuse_unwritable(model)
    # torch.export gives its modules a `train` of their own, which only refuses.
    if isinstance(model, torch.fx.GraphModule) and "train" in vars(model):
        raise InvalidValueError(
            "an exported module has no training mode; give the module before "
            "torch.export",
            argument="model",
        )
    tensors = _tensors(model)
    if any(hasattr(t, "placements") for t in tensors):
        raise InvalidValueError(
            "its parameters are spread over processes (DTensor); give the "
            "module before fully_shard or parallelize_module",
            argument="model",
        )
    if any(not is_lazy(t) and t.is_inference() for t in tensors):
        raise InvalidValueError(
            "its tensors were made inside torch.inference_mode() and cannot be "
            "trained; make it outside",
            argument="model",
        )


def refuse_unwritable(model: nn.Module) -> None:
    """Refuse a model with parameters that nothing can write to, nor train.

    Raises:
        InvalidValueError: If one that is trained has entries that share memory.

    Example:
        >>> refuse_unwritable(nn.Linear(2, 2))
    """
    for name, tensor in model.named_parameters():
        if is_lazy(tensor) or not tensor.requires_grad:
            continue
        strides = zip(tensor.shape, _strides(tensor), strict=False)
        if any(size > 1 and stride == 0 for size, stride in strides):
            raise InvalidValueError(
                f"{name} was expanded, so that its entries share memory and cannot be "
                f"written; give nn.Parameter({name}.detach().clone("
                "memory_format=torch.contiguous_format))",
                argument="model",
            )


def _strides(tensor: torch.Tensor) -> tuple[int, ...]:
    return tensor.stride() if tensor.layout == torch.strided else ()


def refuse_lazy(model: nn.Module) -> None:
    """Refuse a model whose lazy modules have not seen a batch yet.

    Raises:
        InvalidValueError: If a parameter or buffer has no shape.

    Example:
        >>> refuse_lazy(nn.Linear(2, 2))
    """
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor):
            raise InvalidValueError(
                f"{name} is lazy and has no shape yet; run the model once "
                "first, as in model(batch)",
                argument="model",
            )


def _tensors(model: nn.Module) -> tuple[torch.Tensor, ...]:
    return (*model.parameters(), *model.buffers())


def has_lazy(model: nn.Module) -> bool:
    """Whether some parameter or buffer has no shape until a batch comes.

    Example:
        >>> has_lazy(nn.LazyLinear(2)), has_lazy(nn.Linear(2, 2))
        (True, False)
    """
    return any(is_lazy(tensor) for tensor in _tensors(model))


def without_lazy(
    model: nn.Module, args: tuple[object, ...], kwargs: dict[str, Any]
) -> nn.Module:
    """Return the model, or a copy that ran once where parameters are still lazy.

    Raises:
        InvalidValueError: If it fails on the batch.
    """
    if not has_lazy(model):
        return model
    # Unlike a parameter, a buffer without a shape does not know how to be copied.
    made = {
        id(buffer): UninitializedBuffer(  # type: ignore[call-arg]  # torch's stub
            device=buffer.device, dtype=buffer.dtype
        )
        for buffer in model.buffers()
        if isinstance(buffer, UninitializedBuffer)
    }
    copied = copy.deepcopy(model, made)
    try:
        with torch.no_grad():
            copied(*args, **kwargs)
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise InvalidValueError(
            f"failed on this batch: {type(error).__name__}: {first}", argument="model"
        ) from error
    return copied


def _nothing_compiled() -> AbstractContextManager[Any]:
    """Return what keeps a compiler from tracing, where there may be one at all."""
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


@contextmanager
def eager() -> Iterator[None]:
    """Run compiled parts and checkpointed parts as plain Python inside.

    Compiled methods and functions, too, which the model does not show.
    """
    from torch.utils import checkpoint

    plain = checkpoint.CheckpointFunction.__dict__.get("apply")

    def restore() -> None:
        if plain is not None:
            checkpoint.CheckpointFunction.apply = plain  # type: ignore[method-assign]
        elif "apply" in checkpoint.CheckpointFunction.__dict__:
            del checkpoint.CheckpointFunction.apply

    with restoring(restore), _nothing_compiled():
        # Reentrant checkpoints run without gradients: no delta could be measured.
        checkpoint.CheckpointFunction.apply = staticmethod(  # type: ignore[method-assign]
            lambda function, _preserve, *args: function(*args)
        )
        yield
