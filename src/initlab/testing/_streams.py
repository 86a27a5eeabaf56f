"""Where the numbers come from: the stream that was given, and nowhere else."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from initlab.testing._calls import Sampler, as_array, checksum
from initlab.testing._law import Law
from initlab.testing._layers import Target, shape_of
from initlab.testing._report import Outcome, exactly

SHAPES: tuple[tuple[int, ...], ...] = ((24, 36), (37, 11), (6, 5, 3, 3))
# Numbers that are compared between streams, if so many of them differ.
FEWEST_NUMBERS = 12
LARGEST_REPLAYED = 200_000


def streams(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge two calls, the stream and the global states around them."""
    del factor
    rng = sampler.stream(*path)
    with _other_global_states(sampler.seed):
        before = global_states()
        result = sampler.call(target, rng)
        first = np.array(as_array(result), dtype=np.float64)
        second = sampler.weight(target, rng)
        touched = _differing(before, global_states())
        overwritten = np.count_nonzero(as_array(result) != first)
        if "random" in touched and not _misused(sampler, target, *path):
            touched.remove("random")
    outcomes = [
        exactly(
            "global random states untouched",
            not touched,
            where=target,
            measured=len(touched),
            detail=f"the state of {', '.join(touched)} changed; draw from a source "
            "of your own, or pass global_streams=True",
        ),
        exactly(
            "results stay as they were",
            overwritten == 0,
            where=target,
            measured=overwritten,
            detail="weights that a later call overwrote",
        ),
        _two_calls(law, target, first, second),
    ]
    if sampler.takes_rng:
        outcomes += _repeatable(sampler, law, target, first, *path)
    return outcomes


def _misused(sampler: Sampler, target: Target, *path: str | int) -> bool:
    """Whether Python's global stream decides about weights, or is seeded.

    That its state changed is not enough: beartype draws from it to choose what of a
    list it looks at.
    """
    found, states = [], []
    for seed in (1, 2, 2):
        random.seed(seed)
        found.append(sampler.weight(target, sampler.stream(*path)))
        states.append(random.getstate())
    decides = np.array_equal(found[1], found[2]) > np.array_equal(found[0], found[1])
    return decides or states[0] == states[1]


def _random_at(law: Law, target: Target) -> bool:
    """Whether two draws differ there: a small layer may keep nothing but zeros."""
    return law.random and law.std_at(target) != 0


def _two_calls(law: Law, target: Target, first: Any, second: Any) -> Outcome:
    if not _random_at(law, target):
        different = np.count_nonzero(first != second)
        return exactly(
            "two calls agree",
            different == 0,
            where=target,
            measured=different,
            detail="the law says that nothing is random",
        )
    alike = np.count_nonzero(first == second)
    return exactly(
        "two calls differ",
        alike < first.size,
        where=target,
        measured=alike,
        detail=f"of {first.size} weights are the same",
    )


def _repeatable(
    sampler: Sampler, law: Law, target: Target, first: Any, *path: str | int
) -> list[Outcome]:
    again = sampler.weight(target, sampler.stream(*path))
    other = sampler.weight(target, sampler.stream(*path, "other"))
    changed = np.count_nonzero(again != first)
    outcomes = [
        exactly(
            "same stream, same bytes",
            changed == 0,
            where=target,
            measured=changed,
            detail=f"of {first.size} weights changed; only the given stream may count",
        )
    ]
    if _random_at(law, target):
        alike = np.count_nonzero(other == first)
        outcomes.append(
            exactly(
                "other stream, other weights",
                alike < first.size,
                where=target,
                measured=alike,
                detail=f"of {first.size} weights are the same",
            )
        )
    return outcomes


def replayed(sampler: Sampler, law: Law) -> list[Outcome]:
    """Judge all recorded streams: drawn again backwards, and against each other."""
    record = list(sampler.record)
    outcomes = []
    if sampler.takes_rng:
        small = [r for r in record if np.prod(shape_of(r[1])) <= LARGEST_REPLAYED]
        changed = [
            target
            for path, target, found, _ in reversed(small)
            if checksum(sampler.weight(target, sampler.stream(*path))) != found
        ]
        outcomes.append(
            exactly(
                "same stream, same bytes",
                not changed,
                where=changed[0] if changed else None,
                measured=len(changed),
                detail=f"of {len(small)} streams gave something else the second time",
            )
        )
    if law.random:
        shared = _sharing(sampler)
        outcomes.append(
            exactly(
                "no numbers shared",
                not shared,
                where=shared[0] if shared else None,
                measured=len(shared),
                detail="calls that begin with another call's numbers, up to scale",
            )
        )
    return outcomes


def _sharing(sampler: Sampler) -> list[Target]:
    """The targets of calls that begin as an earlier call did, up to scale and shift."""
    rows, targets = [], []
    for _, target, _, numbers in sampler.record:
        if len(np.unique(np.abs(numbers))) < FEWEST_NUMBERS:
            continue
        row = numbers[:FEWEST_NUMBERS] - numbers[:FEWEST_NUMBERS].mean()
        norm = float(np.linalg.norm(row))
        if norm > 1e-6 * float(np.abs(numbers).max()):
            rows.append(row / norm)
            targets.append(target)
    if len(rows) < 2:
        return []
    cosines = np.abs(np.array(rows) @ np.array(rows).T)
    later = np.tril(cosines, -1).max(axis=1)
    # Of eleven free numbers, by chance: about 1e-19 a pair; 16 bits round more.
    limit = 1 - 1e-4 if sampler.epsilon > 1e-5 else 1 - 1e-6
    return [
        target for target, cosine in zip(targets, later, strict=True) if cosine > limit
    ]


def global_states() -> dict[str, Any]:
    """The states of the streams that belong to nobody, of what is already loaded."""
    states: dict[str, Any] = {
        "random": random.getstate(),
        "numpy.random": _flat(np.random.get_state(legacy=True)),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = tuple(torch.get_rng_state().tolist())
    return states


@contextmanager
def preserved_global_states() -> Iterator[None]:
    """Give all global streams their states back at the end, whatever happens."""
    python, legacy = random.getstate(), np.random.get_state()
    torch: Any = sys.modules.get("torch")
    own = torch.get_rng_state() if hasattr(torch, "get_rng_state") else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if own is not None:
            torch.set_rng_state(own)


@contextmanager
def _other_global_states(seed: int) -> Iterator[None]:
    """Move the global streams to states that no initializer is likely to set.

    One that seeds them afresh in every call would otherwise leave no trace.
    """
    with preserved_global_states():
        unlikely = 2**31 + seed % 2**31
        random.setstate(random.Random(unlikely).getstate())
        np.random.set_state(np.random.RandomState(unlikely).get_state())
        torch: Any = sys.modules.get("torch")
        if hasattr(torch, "get_rng_state"):
            source = torch.Generator().manual_seed(unlikely)
            torch.set_rng_state(source.get_state())
        yield


def _flat(state: Any) -> tuple[Any, ...]:
    return (state[0], state[1].tobytes(), *state[2:])


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name, state in before.items() if after.get(name) != state]
