"""What `initlab check` does: import the target, make inputs, check."""

import importlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from initlab.capture import TargetsError
from initlab.errors import DataError, InitlabError, InvalidValueError, OutputError
from initlab.pytorch._build import build
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch.repair import Repair, repair_
from initlab.spec import facts_from_json

_LARGEST_SHAPE = 8


def check_target(
    target: str,
    *,
    inputs: Sequence[str],
    tokens: Sequence[str],
    classes: int | None = None,
    checkpoint: Path | None = None,
    seeds: int = 1,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float32",
    ignore: Sequence[str] = (),
) -> Diagnosis:
    """Import a target, check it on drawn inputs, and leave out ignored checks.

    Args:
        target: `package.module:name` of a function that makes a model, or of a model.
        inputs: Shapes, as in 8x3x224x224.
        tokens: Shapes and words, as in 4x128:50257.
        classes: Of drawn labels; None: no labels.
        checkpoint: Weights to load before.
        seeds: Members.
        seed: Of the first one, and of the inputs.
        device: Where it runs.
        dtype: Of the weights and the inputs.
        ignore: Ids of checks.

    Raises:
        InvalidValueError: If the target, a shape or the device cannot be used.
    """
    made = imported(target)
    batch, targets = _batch(inputs, tokens, classes, seed, dtype)
    factory = _factory(target, made, checkpoint, device, dtype)
    model: Any = factory
    if isinstance(made, nn.Module) or checkpoint is not None:
        if seeds > 1:
            raise InvalidValueError(
                f"--seeds: {seeds} members need a function that draws weights anew"
            )
        model = build(factory, seed)
    with _labels_of(classes):
        diagnosis = check(model, batch, targets=targets, seeds=seeds, seed=seed)
    _refuse_other_classes(classes, diagnosis)
    return _without(diagnosis, ignore)


def repair_target(
    target: str,
    out: Path,
    *,
    inputs: Sequence[str],
    tokens: Sequence[str],
    classes: int | None = None,
    checkpoint: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float32",
    ignore: Sequence[str] = (),
) -> Repair:
    """Build a target once, repair it, and write its weights as safetensors.

    Args:
        target: As for `check_target`.
        out: File of the weights.
        inputs: Shapes, as in 8x3x224x224.
        tokens: Shapes and words, as in 4x128:50257.
        classes: Of drawn labels; None: no labels.
        checkpoint: Weights to load before.
        seed: Of the model, of the inputs, and of what is redrawn.
        device: Where it runs.
        dtype: Of the weights and the inputs.
        ignore: Ids of checks whose findings are not shown; they are repaired.

    Raises:
        InvalidValueError: If the target, a shape or the device cannot be used.
        OutputError: If the file cannot be written; found out before anything is run.
    """
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise OutputError(
            f"--repair: a file .safetensors in a folder that exists, got {out}"
        )
    made = imported(target)
    batch, targets = _batch(inputs, tokens, classes, seed, dtype)
    model = build(_factory(target, made, checkpoint, device, dtype), seed)
    with _labels_of(classes):
        repair = repair_(model, batch, targets=targets, seed=seed)
    _refuse_other_classes(classes, repair.before)
    repair.save(out)
    return replace(
        repair,
        before=_without(repair.before, ignore),
        after=_without(repair.after, ignore),
    )


def _without(diagnosis: Diagnosis, ignore: Sequence[str]) -> Diagnosis:
    """Return a diagnosis without the findings of some checks."""
    kept = tuple(one for one in diagnosis.findings if one.id not in ignore)
    return replace(diagnosis, findings=kept)


def _batch(
    inputs: Sequence[str],
    tokens: Sequence[str],
    classes: int | None,
    seed: int,
    dtype: str,
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Return drawn inputs, and labels where there are classes."""
    generator = torch.Generator().manual_seed(seed)
    real = getattr(torch, dtype)
    batch = tuple(
        [
            torch.randn(_shape("--input", text), generator=generator).to(real)
            for text in inputs
        ]
        + [_tokens(text, generator) for text in tokens]
    )
    if classes is None:
        return batch, None
    return batch, torch.randint(0, classes, (len(batch[0]),), generator=generator)


@contextmanager
def _labels_of(classes: int | None) -> Iterator[None]:
    """Say of labels that we drew who asked for them."""
    try:
        yield
    except TargetsError as error:
        reason = str(error).removeprefix("targets: ").partition(";")[0]
        raise InvalidValueError(
            f"--classes: {classes}, one label per example: {reason}; leave it out, or "
            "give as many as there are outputs"
        ) from None


def _refuse_other_classes(classes: int | None, diagnosis: Diagnosis) -> None:
    """Refuse more classes than outputs also where the labels drawn happen to fit.

    Raises:
        InvalidValueError: If there are.
    """
    output = facts_from_json(diagnosis.dataset.attrs["facts"])[0].output
    there = 1 if output.loss_kind == "mse" else output.classes
    if classes is not None and classes > there > 0:
        raise InvalidValueError(
            f"--classes: {classes}, but outputs of shape {output.shape} are of "
            f"{there}; {'leave it out' if there < 2 else f'give --classes {there}'}"
        )


def _factory(
    target: str,
    made: nn.Module | Callable[[], nn.Module],
    checkpoint: Path | None,
    device: str,
    dtype: str,
) -> Callable[[], nn.Module]:
    """Return what builds the target's model, with its weights loaded and placed."""
    place, real = _device(device), getattr(torch, dtype)

    def factory() -> nn.Module:
        model = made if isinstance(made, nn.Module) else _called(target, made)
        if not isinstance(model, nn.Module) or any(p.is_meta for p in _held(model)):
            return model  # which is refused where it is used
        if checkpoint is not None:
            load_checkpoint(model, checkpoint)
        return model.to(device=place, dtype=real)

    return factory


def _held(model: nn.Module) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def _called(target: str, function: Callable[[], nn.Module]) -> nn.Module:
    """Return what the user's function makes.

    Raises:
        InvalidValueError: If it raises anything, or ends Python.
    """
    try:
        return function()
    except SystemExit as ended:
        raise InvalidValueError(
            f"TARGET: {target} called {_exit(ended)} and made no model; give a "
            "function that returns one"
        ) from None
    except InitlabError:
        raise
    except Exception as error:
        if isinstance(error, TypeError) and "argument" in str(error):
            raise  # most often that it needs some, which `build` says
        raise InvalidValueError(
            f"TARGET: {target} failed: {type(error).__name__}: {_first_line(error)}"
        ) from error


def _exit(ended: SystemExit) -> str:
    code = "" if ended.code is None else repr(ended.code)
    return f"sys.exit({code})"


def imported(target: str) -> nn.Module | Callable[[], nn.Module]:
    """Return what `package.module:name` names; the current folder comes first.

    Raises:
        InvalidValueError: If it cannot be imported, or is nothing that makes a model.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise InvalidValueError(
            f"TARGET: package.module:name, as in mypackage.models:build, got {target!r}"
        )
    if module_name.endswith(".py") or "/" in module_name:
        raise InvalidValueError(
            f"TARGET: a module's name, as python -m takes it, got {module_name!r}; "
            f"try {_dotted(module_name)}:{path}"
        )
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
    except SystemExit as ended:
        raise InvalidValueError(
            f"TARGET: importing {module_name} called {_exit(ended)}; put what a script "
            'does under if __name__ == "__main__":'
        ) from None
    except Exception as error:
        raise InvalidValueError(
            f"TARGET: importing {module_name} failed: {type(error).__name__}: {error}"
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            near = [n for n in dir(found) if callable(getattr(found, n, None))
                    and not n.startswith("_")]  # fmt: skip
            there = ", ".join(near[:12]) or "nothing to call"
            raise InvalidValueError(
                f"TARGET: {module_name} has no {part!r}; it has {there}"
            )
        found = getattr(found, part)
    if not isinstance(found, nn.Module) and not callable(found):
        raise InvalidValueError(
            f"TARGET: a function that makes a model, or a model, got "
            f"{type(found).__name__} {path}"
        )
    return found


def _dotted(path: str) -> str:
    return Path(path).with_suffix("").as_posix().replace("/", ".")


def load_checkpoint(model: nn.Module, path: Path) -> None:
    """Load weights without running anything that is in the file.

    Raises:
        DataError: If the file is missing, is no checkpoint, or fits another model.
    """
    if not path.is_file():
        raise DataError(f"--checkpoint: there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise  # which names the file, and says why
    except Exception as error:
        raise DataError(f"--checkpoint: {path} {_not_weights(path)}") from error
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise DataError(f"--checkpoint: {path} holds no weights by name")
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:3]]
        raise DataError(
            f"--checkpoint: {path} fits another model: {' '.join(lines)[:300]}"
        ) from error


def _not_weights(path: Path) -> str:
    """Return why a file was not read; torch's own words advise to run it."""
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


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidValueError(
            f"--device: {name!r} cannot be used: {_first_line(error)}"
        ) from error
    return device


def _shape(option: str, text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
        if not 1 <= len(sizes) <= _LARGEST_SHAPE or min(sizes) < 1:
            raise ValueError
    except ValueError:
        raise InvalidValueError(
            f"{option}: positive sizes with x in between, as in 8x3x224x224, got "
            f"{text!r}"
        ) from None
    return sizes


def _tokens(text: str, generator: torch.Generator) -> Tensor:
    shape, colon, words = text.partition(":")
    if not colon or not words.isdigit() or int(words) < 1:
        raise InvalidValueError(
            "--tokens: a shape and the number of words, as in 4x128:50257, got "
            f"{text!r}"
        )
    return torch.randint(0, int(words), _shape("--tokens", shape), generator=generator)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
