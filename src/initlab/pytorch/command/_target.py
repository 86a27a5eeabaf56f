"""The target of `initlab check`: imported, called, loaded, placed; or refused."""

import importlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from initlab.capture import exit_call, most_arguments, unwrapped
from initlab.errors import DataError, InitlabError, InvalidValueError, nearest
from initlab.pytorch._build import called
from initlab.pytorch._devices import as_device


def imported(
    target: str, announce: Callable[[str], object]
) -> nn.Module | Callable[[], nn.Module]:
    """Return what `package.module:name` names; the current folder comes first.

    Args:
        target: As it was typed.
        announce: Told the module's name, just before it is imported.

    Raises:
        InvalidValueError: If it cannot be imported, or is nothing that makes a model.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise InvalidValueError(
            f"package.module:name, as in mypackage.models:build, got {target!r}",
            argument="TARGET",
        )
    if module_name.endswith(".py") or "/" in module_name:
        raise InvalidValueError(
            f"a module's name, as python -m takes it, got {module_name!r}; "
            f"try {_dotted(module_name)}:{path}",
            argument="TARGET",
        )
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    announce(module_name)
    try:
        found: Any = importlib.import_module(module_name)
    except SystemExit as ended:
        raise InvalidValueError(
            f"importing {module_name} called {exit_call(ended)}; put what a script "
            'does under if __name__ == "__main__":',
            argument="TARGET",
        ) from None
    except Exception as error:
        raise InvalidValueError(
            f"importing {module_name} failed: {type(error).__name__}: {error}",
            argument="TARGET",
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            near = [n for n in dir(found) if callable(getattr(found, n, None))
                    and not n.startswith("_")]  # fmt: skip
            meant = nearest(part.lower(), near)
            hint = f"did you mean {meant!r}? It" if meant else "it"
            there = ", ".join(near[:12]) or "nothing to call"
            raise InvalidValueError(
                f"{module_name} has no {part!r}; {hint} has {there}", argument="TARGET"
            )
        found = getattr(found, part)
    if not isinstance(found, nn.Module) and not callable(found):
        raise InvalidValueError(
            f"a function that makes a model, or a model, got "
            f"{type(found).__name__} {path}",
            argument="TARGET",
        )
    return found


def _dotted(path: str) -> str:
    return Path(path).with_suffix("").as_posix().replace("/", ".")


def factory_of(
    target: str,
    made: nn.Module | Callable[[], nn.Module],
    checkpoint: Path | None,
    device: str,
    dtype: str,
    inputs: int,
) -> Callable[[], nn.Module]:
    """Return what builds the target's model, with its weights loaded and placed.

    Args:
        target: As it was typed.
        made: What it names.
        checkpoint: Weights to load.
        device: Of the model.
        dtype: Of the model.
        inputs: How many it will be given; a model that takes fewer is refused.
    """
    place, real = as_device(device, "--device"), getattr(torch, dtype)

    def factory() -> nn.Module:
        model = made if isinstance(made, nn.Module) else _called(target, made)
        if not isinstance(model, nn.Module) or any(p.is_meta for p in _held(model)):
            return model  # refused below, where it is used
        _refuse_more_inputs(model, inputs)
        if checkpoint is not None:
            load_checkpoint(model, checkpoint)
        return model.to(device=place, dtype=real)

    return factory


def _refuse_more_inputs(model: nn.Module, inputs: int) -> None:
    """Refuse inputs beyond what forward takes: the last would pass for targets.

    Raises:
        InvalidValueError: If there are more.
    """
    most = most_arguments(unwrapped(model))
    if most is not None and inputs > most:
        raise InvalidValueError(
            f"{type(model).__name__}.forward takes "
            f"{most} input{'s' if most != 1 else ''}, got {inputs} of --input and "
            "--tokens; leave the others out, or draw labels by --classes",
            argument="--input",
        )


def _held(model: nn.Module) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def _called(target: str, function: Callable[[], nn.Module]) -> nn.Module:
    """Return what the user's function makes.

    Raises:
        InvalidValueError: If it raises anything, or ends Python.
    """
    try:
        return called(function)
    except SystemExit as ended:
        raise InvalidValueError(
            f"{target} called {exit_call(ended)} and made no model; give a "
            "function that returns one",
            argument="TARGET",
        ) from None
    except InitlabError:
        raise
    except Exception as error:
        raise InvalidValueError(
            f"{target} failed: {type(error).__name__}: {_first_line(error)}",
            argument="TARGET",
        ) from error


def load_checkpoint(model: nn.Module, path: Path) -> None:
    """Load weights without running anything that is in the file.

    Raises:
        DataError: If the file is missing, is no checkpoint, or fits another model.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}", argument="--checkpoint")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise  # which names the file, and says why
    except Exception as error:
        raise DataError(
            f"{path} {_not_weights(path)}", argument="--checkpoint"
        ) from error
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise DataError(f"{path} holds no weights by name", argument="--checkpoint")
    odd = next((key for key in state if not isinstance(key, str)), None)
    if odd is not None:
        raise DataError(
            f"{path} holds no weights by name: names are text, got {odd!r}; save "
            "model.state_dict()",
            argument="--checkpoint",
        )
    try:
        model.load_state_dict(_without_prefix(state, list(model.state_dict())))
    except Exception as error:  # a model's own loading may raise anything
        said = str(error).splitlines()
        lines = [line.strip() for line in said[1:3]] or said[:1]
        raise DataError(
            f"{path} fits another model: {' '.join(lines)[:300]}",
            argument="--checkpoint",
        ) from error


def _without_prefix(state: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return weights without what all their names begin with, if that gives the names.

    As `module.` of what DistributedDataParallel saved, or `model.` of a trainer.
    """
    for name in state:
        prefix = name.removesuffix(names[0]) if names else ""
        if {f"{prefix}{own}" for own in names} == state.keys():
            return {key.removeprefix(prefix): one for key, one in state.items()}
    return state


def _not_weights(path: Path) -> str:
    """Return why a file was not read; torch's own message advises running it."""
    with path.open("rb") as file:
        pickled = file.read(1) == b"\x80"
    if path.suffix != ".safetensors" and (pickled or zipfile.is_zipfile(path)):
        return (
            "holds Python objects besides tensors, or is damaged; such objects could "
            "run code and are never loaded: save model.state_dict()"
        )
    return (
        "is damaged or no checkpoint; give a .safetensors file, or what torch.save "
        "wrote of model.state_dict()"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
