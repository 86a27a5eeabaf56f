"""A million members, a hundred records each, through a store: peak memory and time.

    python benchmarks/memory.py [--members 1000000] [--stand-in]

Prints one line; see docs/cluster.md.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import initlab as il
from initlab import engine as engines

RECORDS = 100


def study(members):
    """Return a study of very small networks: bookkeeping is what is measured."""
    return il.Study(
        network=il.MLP(widths=(2, 2, 1)),
        problem={"name": "circles", "examples": 12},
        inits=["he_normal"],
        members=members,
        steps=RECORDS - 1,
        record_every=1,
        record=[],
        shard_members=1000,
        seeding="stream",
        precision="float32",  # twice as many networks side by side
    )


def stand_in(_, networks, *__, **___):
    """Yield histories of random numbers, in groups of eight, as the engine does."""
    rng = np.random.default_rng(0)
    layers = {
        name: np.zeros((RECORDS, 2))
        for name in engines.LayerSummaries.__dataclass_fields__
    }
    for first in range(0, len(networks), 8):
        numbers = range(first, min(first + 8, len(networks)))
        yield numbers, [
            engines.History(
                loss=rng.random(RECORDS), train_score=rng.random(RECORDS),
                test_score=rng.random(RECORDS),
                layers=engines.LayerSummaries(**layers), diverged_step=-1,
                stopped_step=-1,
                parameters=None, running=[],
            )
            for _ in numbers
        ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--stand-in", action="store_true")
    chosen = parser.parse_args()
    members = chosen.members
    if chosen.stand_in:
        engines.stream_ensemble = stand_in
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "s.zarr"
        began = time.perf_counter()
        results = il.run(study(members), store=store, engine="lanes")
        seconds = time.perf_counter() - began
        assert results.loss.sizes["step"] == RECORDS
        size = sum(each.stat().st_size for each in store.rglob("*") if each.is_file())
        begun = time.perf_counter()
        with il.run(study(members), store=store, engine="lanes"):
            resumed = time.perf_counter() - begun
    # Kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    how = "stand-ins for training" if chosen.stand_in else "trained"
    print(
        f"{how}: {members:,} members x {RECORDS} records: peak {peak:,.0f} MiB, "
        f"{seconds:,.0f} s, {size / 2**20:,.0f} MiB on disk, "
        f"opened and verified in {resumed:,.1f} s"
    )


if __name__ == "__main__":
    main()
