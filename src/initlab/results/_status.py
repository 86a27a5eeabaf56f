"""How far a store is: what its markers say, of shards that are whole."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.errors import OutputError
from initlab.results._open import open_store, root_attributes
from initlab.results._whole import is_sharded, survey

# The rate is that of the last shards: earlier cells may be cheaper.
_LAST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a study is.

    Attributes:
        networks, networks_done: In all, and in completed shards.
        shards, shards_done: The same of shards.
        shards_damaged: That were there and are to be run again.
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
    shards_damaged: int
    diverged: int
    rate: float | None
    seconds_left: float | None
    engine: str
    writer: str | None


def status(store: str | Path) -> Status:
    """Return how far a store is.

    Shards whose chunks are missing or of another size count as left; whether every
    byte is as it was written is seen by whoever reads them, not here.

    Raises:
        OutputError: If there is none.
    """
    if not is_sharded(store):
        open_store(store).close()
        raise OutputError(
            f"{store} is no store that fills shard by shard", argument="store"
        )
    found = survey(store, checksums=False)
    attributes = root_attributes(store)
    assert attributes is not None
    networks = math.prod(found.layout.shape("diverged_step"))
    done = list(found.whole.values())
    there = int(sum(state.members for state in done))
    rate = _rate(
        np.array([state.ended for state in done]),
        np.array([state.members for state in done]),
    )
    left = networks - there
    return Status(
        networks=networks,
        networks_done=there,
        shards=found.shards,
        shards_done=len(done),
        shards_damaged=found.damaged,
        diverged=int(sum(state.diverged for state in done)),
        rate=rate,
        seconds_left=0.0 if not left else left / rate if rate else None,
        engine=str(attributes["engine"]),
        writer=found.writer,
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
