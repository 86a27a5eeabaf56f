"""How far a store is: what its markers say."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.errors import OutputError
from initlab.results._keys import keys_of
from initlab.results._layout import FACTS, STATE
from initlab.results._lock import writer_of
from initlab.results._open import open_store

# The rate is that of the last shards: earlier cells may be cheaper.
_LAST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a study is.

    Attributes:
        networks, networks_done: In all, and in completed shards.
        shards, shards_done: The same of shards.
        diverged: Networks that diverged, of those that are done.
        rate: Networks per second, of the last shards; None: not known yet.
        seconds_left: At this rate; None: not known.
        engine: That trains them.
        writer: Who writes now; None: nobody, or it cannot be told.
    """

    networks: int
    networks_done: int
    shards: int
    shards_done: int
    diverged: int
    rate: float | None
    seconds_left: float | None
    engine: str
    writer: str | None


def status(store: str | Path) -> Status:
    """Return how far a store is.

    Raises:
        OutputError: If there is none.
    """
    with open_store(store) as opened:
        if STATE not in opened:
            raise OutputError(f"store: {store} is no store that fills shard by shard")
        facts = opened[STATE].values.reshape(-1, len(FACTS))
        networks = opened["diverged_step"].size
        engine = str(opened.attrs["engine"])
    done = facts[~np.isnan(facts).any(axis=1)]
    named = dict(zip(FACTS, done.T, strict=True))
    there = int(named["members"].sum())
    rate = _rate(named["ended"], named["members"])
    left = networks - there
    return Status(
        networks=networks,
        networks_done=there,
        shards=len(facts),
        shards_done=len(done),
        diverged=int(named["diverged"].sum()),
        rate=rate,
        seconds_left=0.0 if not left else left / rate if rate else None,
        engine=engine,
        writer=writer_of(keys_of(store)),
    )


def _rate(ended: np.ndarray, members: np.ndarray) -> float | None:
    """Return networks per second over the last shards, pauses between runs left out."""
    order = np.argsort(ended)[-_LAST:]
    gaps = np.diff(ended[order])
    if not len(gaps) or not gaps.any():
        return None
    longest = 10 * float(np.median(gaps[gaps > 0]))
    counted = gaps <= longest
    return float(members[order][1:][counted].sum() / gaps[counted].sum())


def status_as_json(found: Status) -> str:
    """Return the status for programs."""
    values = {name: getattr(found, name) for name in Status.__dataclass_fields__}
    return json.dumps(values, indent=1)
