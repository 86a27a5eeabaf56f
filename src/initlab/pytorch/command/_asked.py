"""What `initlab check` does: import the target, make inputs, check."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from initlab.capture import IndicesError, TargetsError, exit_call
from initlab.errors import InvalidValueError
from initlab.pytorch._build import build
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch._numbers import as_seed
from initlab.pytorch.command._target import factory_of, imported
from initlab.pytorch.repair import Repair, repair_
from initlab.spec import facts_from_json

_LARGEST_SHAPE = 8
_SHAPE = re.compile(r"[1-9][0-9]*(x[1-9][0-9]*)*")
_WORDS = re.compile(r"[1-9][0-9]*")
# Token ids are 64 bits.
_MOST_WORDS = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be checked, as it was typed.

    Attributes:
        target: `package.module:name` of a function that makes a model, or of a model.
        inputs: Shapes, as in 8x3x224x224, or of token ids, as in 4x128:50257; in the
            order in which the model takes them.
        tokens: Shapes of token ids, which come after all inputs.
        classes: Of drawn labels; None: no labels.
        checkpoint: Weights to load before.
        seed: Of the first model, of the inputs, and of what a repair redraws.
        device: Where it runs.
        dtype: Of the weights and the inputs.
        ignore: Ids of checks whose findings are neither shown nor repaired.
    """

    target: str
    inputs: Sequence[str] = ()
    tokens: Sequence[str] = ()
    classes: int | None = None
    checkpoint: Path | None = None
    seed: int = 0
    device: str = "cpu"
    dtype: str = "float32"
    ignore: Sequence[str] = ()


def _no_one(_module: str) -> None:
    """Tell nobody."""


def check_target(
    asked: Asked, *, seeds: int = 1, announce: Callable[[str], object] = _no_one
) -> Diagnosis:
    """Import a target, check it on drawn inputs, and leave out ignored checks.

    Args:
        asked: Of what.
        seeds: Members.
        announce: Told the name of the module that is imported, before it is.

    Raises:
        InvalidValueError: If the target, a shape, a seed or the device cannot be used.
    """
    as_seed(asked.seed, seeds)
    batch, targets = _batch(asked)
    made = imported(asked.target, announce)
    model: Any = _factory(asked, made)
    with _drawn_named(asked):
        if _is_one_model(asked, made, seeds):
            model = build(model, asked.seed)
        diagnosis = check(model, batch, targets=targets, seeds=seeds, seed=asked.seed)
    _refuse_other_classes(asked.classes, diagnosis)
    return diagnosis.without(asked.ignore)


def repair_target(
    asked: Asked,
    out: Path,
    *,
    seeds: int = 1,
    announce: Callable[[str], object] = _no_one,
) -> Repair:
    """Build a target once, repair it, and write its weights as safetensors.

    Args:
        asked: Of what.
        out: File of the weights, which can be written.
        seeds: Members that were asked for, of which the first is repaired.
        announce: Told the name of the module that is imported, before it is.

    Raises:
        InvalidValueError: If the target, a shape, a seed or the device cannot be used.
        OutputError: If the file cannot be written.
    """
    as_seed(asked.seed, seeds)
    batch, targets = _batch(asked)
    made = imported(asked.target, announce)
    _is_one_model(asked, made, seeds)
    with _drawn_named(asked):
        model = build(_factory(asked, made), asked.seed)
        repair = repair_(
            model, batch, targets=targets, seed=asked.seed, ignore=asked.ignore
        )
    _refuse_other_classes(asked.classes, repair.before)
    repair.save(out)
    return repair


def _is_one_model(asked: Asked, made: Any, seeds: int) -> bool:
    """Whether the target has its weights already, so that seeds change nothing.

    Raises:
        InvalidValueError: If they are, and several members are asked for.
    """
    if not isinstance(made, nn.Module) and asked.checkpoint is None:
        return False
    if seeds > 1:
        raise InvalidValueError(
            f"{seeds} members need a function that draws weights anew",
            argument="--seeds",
        )
    return True


def _factory(
    asked: Asked, made: nn.Module | Callable[[], nn.Module]
) -> Callable[[], nn.Module]:
    return factory_of(
        asked.target,
        made,
        asked.checkpoint,
        asked.device,
        asked.dtype,
        inputs=len(asked.inputs) + len(asked.tokens),
    )


def _batch(asked: Asked) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Return drawn inputs, and labels where there are classes."""
    generator = torch.Generator().manual_seed(asked.seed)
    real = getattr(torch, asked.dtype)
    batch = tuple(
        _tokens(option, text, generator)
        if option == "--tokens" or ":" in text
        else _normals(text, generator).to(real)
        for option, text in [
            *(("--input", text) for text in asked.inputs),
            *(("--tokens", text) for text in asked.tokens),
        ]
    )
    if asked.classes is None:
        return batch, None
    return batch, torch.randint(0, asked.classes, (len(batch[0]),), generator=generator)


@contextmanager
def _tokens_named(asked: Asked) -> Iterator[None]:
    """Name the option where a table was given what we drew for `--input`."""
    try:
        yield
    except IndicesError as error:
        words = error.rows or 50257
        if len(asked.inputs) == 1 and not asked.tokens:
            fix = f"its inputs are token ids: give --tokens {asked.inputs[0]}:{words}"
        else:
            fix = (
                "give inputs in the order of the model's, and the shape of token ids "
                f"with the number of words, as in --input 8x128:{words}"
            )
        raise error.anew(argument="--input", fix=fix) from None


@contextmanager
def _labels_of(classes: int | None) -> Iterator[None]:
    """Name `--classes` in errors about the labels that we drew for it."""
    try:
        yield
    except TargetsError as error:
        raise InvalidValueError(
            f"{classes}, one label per example: {error.message}; leave it out, or "
            "give as many as there are outputs",
            argument="--classes",
        ) from None


def _refuse_other_classes(classes: int | None, diagnosis: Diagnosis) -> None:
    """Refuse more classes than outputs, even if the labels drawn happen to fit.

    Raises:
        InvalidValueError: If there are.
    """
    output = facts_from_json(diagnosis.dataset.attrs["facts"])[0].output
    there = 1 if output.loss_kind == "mse" else output.classes
    if classes is not None and classes > there > 0:
        raise InvalidValueError(
            f"{classes}, but outputs of shape {output.shape} are of "
            f"{there}; {'leave it out' if there < 2 else f'give --classes {there}'}",
            argument="--classes",
        )


@contextmanager
def _drawn_named(asked: Asked) -> Iterator[None]:
    """Name options, and the target, in errors about what was made of them."""
    with (
        _exits_named(asked.target),
        _labels_of(asked.classes),
        _tokens_named(asked),
    ):
        yield


@contextmanager
def _exits_named(target: str) -> Iterator[None]:
    """Refuse a target that ends Python while it is checked: that gives no verdict."""
    try:
        yield
    except SystemExit as ended:
        raise InvalidValueError(
            f"{target} called {exit_call(ended)} while it was checked; it must return",
            argument="TARGET",
        ) from None


def _normals(text: str, generator: torch.Generator) -> Tensor:
    shape = _shape("--input", text)
    with _in_memory("--input", text):
        return torch.randn(shape, generator=generator)


def _tokens(option: str, text: str, generator: torch.Generator) -> Tensor:
    shape, _, words = text.partition(":")
    if not _WORDS.fullmatch(words) or int(words) >= _MOST_WORDS:
        raise InvalidValueError(
            f"a shape and the number of words, below 2**63, as in 4x128:50257, got "
            f"{text[:60]!r}",
            argument=option,
        )
    sizes = _shape(option, shape)
    with _in_memory(option, text):
        return torch.randint(0, int(words), sizes, generator=generator)


def _shape(option: str, text: str) -> tuple[int, ...]:
    sizes = text.lower().split("x")
    if not _SHAPE.fullmatch("x".join(sizes)) or len(sizes) > _LARGEST_SHAPE:
        raise InvalidValueError(
            "positive sizes with x in between, up to "
            f"{_LARGEST_SHAPE} of them, as in 8x3x224x224, got {text[:60]!r}",
            argument=option,
        )
    return tuple(map(int, sizes))


@contextmanager
def _in_memory(option: str, text: str) -> Iterator[None]:
    """Name the shape that there is no memory for."""
    try:
        yield
    # torch has a RuntimeError of its own for memory, and others for sizes in 64 bits.
    except (MemoryError, RuntimeError, ValueError, TypeError, OverflowError):
        raise InvalidValueError(
            f"{text[:60]!r} needs more memory than there is; give fewer examples, or "
            "smaller ones",
            argument=option,
        ) from None
