"""Two short trainings on the user's data: of the model as it came, and repaired."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from initlab import capture
from initlab.errors import InitlabError, InvalidValueError
from initlab.pytorch._diagnosis import Diagnosis
from initlab.spec import facts_from_json

# Adam's rate where no optimizer is given.
_RATE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Losses of two trainings on the same batches.

    Attributes:
        steps: Of each.
        before: Losses of the model as it came, before every step.
        after: Of the repaired one; both end with the loss after the last step.
    """

    steps: int
    before: tuple[float, ...]
    after: tuple[float, ...]

    def __str__(self) -> str:
        """Return both, first and last."""
        return (
            f"loss in {self.steps} steps: {self.before[0]:.4g} to {self.before[-1]:.4g}"
            f" as it came, {self.after[0]:.4g} to {self.after[-1]:.4g} repaired"
        )


def compare_training(
    before: nn.Module,
    after: nn.Module,
    data: Sequence[Any],
    loss: Callable[..., Tensor] | None,
    targets: Any,
    optimizer: Any,
    steps: int,
) -> Trained:
    """Train copies of both on the same batches, from the same random state.

    Args:
        before: The model as it came.
        after: The repaired one.
        data: Batches, used in turn.
        loss: `(outputs, targets)` -> loss; None: as for `check`.
        targets: Of the batch, if they are no part of it.
        optimizer: A function of parameters; None: Adam.
        steps: Of each.
    """
    return Trained(
        steps=steps,
        before=_losses(before, data, loss, targets, optimizer, steps),
        after=_losses(after, data, loss, targets, optimizer, steps),
    )


def batches_of(data: Any, batch: Any, steps: int) -> list[Any]:
    """The batches that short trainings use, as many as they have steps for.

    Args:
        data: A list of them, or whatever gives them in turn; None: the one batch.
        batch: That the model is checked on.
        steps: Of a training, which needs another loss after the last.

    Raises:
        InvalidValueError: If they are none.

    Example:
        >>> batches_of(iter("abcdef"), "x", steps=2), batches_of(None, "x", steps=2)
        (['a', 'b', 'c'], ['x'])
    """
    if data is None:
        return [batch]
    if isinstance(data, Tensor | Mapping | str) or not isinstance(data, Iterable):
        raise InvalidValueError(
            f"a list of batches, or a DataLoader, got {type(data).__name__}",
            argument="data",
        )
    found = list(islice(data, steps + 1))
    if not found:
        raise InvalidValueError("at least one batch, got none", argument="data")
    return found


def refuse_untrained(model: nn.Module, optimizer: Any) -> None:
    """Refuse what short trainings cannot use, before a model is changed.

    Raises:
        InvalidValueError: If an optimizer is given instead of a function, or if every
            parameter is frozen.
    """
    if optimizer is not None and not callable(optimizer):
        raise InvalidValueError(
            "short trainings need a function of parameters, such as "
            f"torch.optim.Adam; got {type(optimizer).__name__}",
            argument="optimizer",
        )
    if not any(one.requires_grad for one in model.parameters()):
        raise InvalidValueError(
            "every parameter is frozen; call requires_grad_() on some",
            argument="train_steps",
        )


def refuse_without_loss(
    diagnosis: Diagnosis, model: nn.Module, batches: Sequence[Any]
) -> None:
    """Refuse short trainings where no loss is given, and none can be inferred.

    Args:
        diagnosis: That `check` came to.
        model: That is trained.
        batches: On which, which may end with targets of their own.

    Raises:
        InvalidValueError: If it found none.
    """
    if all(capture.ends_with_targets(model, one) for one in batches):
        return
    if not facts_from_json(diagnosis.dataset.attrs["facts"])[0].output.loss_kind:
        raise InvalidValueError(
            "short trainings need one, got None, and no targets that one could "
            "be inferred from; give targets=, or loss=",
            argument="loss",
        )


def _losses(
    model: nn.Module,
    data: Sequence[Any],
    loss: Callable[..., Tensor] | None,
    targets: Any,
    optimizer: Any,
    steps: int,
) -> tuple[float, ...]:
    model = copy.deepcopy(model)
    trainable = [one for one in model.parameters() if one.requires_grad]
    stepper = optimizer(trainable) if optimizer else torch.optim.Adam(trainable, _RATE)
    losses = []
    with capture.ALONE, torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        for step in range(steps + 1):
            batch = data[step % len(data)]
            own = capture.ends_with_targets(model, batch)
            call = capture.as_call(
                model, batch, None if own else targets, with_loss=loss is not None
            )

            evaluated = partial(_evaluated, model, call, loss, stepper)
            with _named_failure(step % len(data)):
                # Some optimizers evaluate the loss themselves, more than once.
                last = step == steps
                losses.append(float(evaluated() if last else stepper.step(evaluated)))
            if not math.isfinite(losses[-1]):
                break
    return tuple(losses)


def _evaluated(
    model: nn.Module,
    call: capture.Call,
    loss: Callable[..., Tensor] | None,
    optimizer: torch.optim.Optimizer,
) -> Tensor:
    """Return the loss, with its gradients at the parameters."""
    optimizer.zero_grad()
    torch.clear_autocast_cache()  # casts hold the weights before the step
    outputs = model(*call.args, **call.kwargs)
    value = capture.read_loss(outputs, call.targets, loss).value
    assert value is not None  # as `check` found one
    value.backward()  # type: ignore[no-untyped-call]
    return value.detach()


@contextmanager
def _named_failure(number: int) -> Iterator[None]:
    """Name the batch on which a training failed."""
    try:
        yield
    except InitlabError:
        raise
    except Exception as error:
        line = (str(error).strip().splitlines() or [""])[0]
        raise InvalidValueError(
            f"batch {number} failed in a training: {type(error).__name__}: {line}",
            argument="data",
        ) from error
