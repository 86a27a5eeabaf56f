"""A million members, a hundred records each, through a store: peak memory and time.

python benchmarks/memory.py [members]      # prints one line; see docs/scaling.md
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import initlab as il

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


def main():
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
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
    print(
        f"{members:,} members x {RECORDS} records: peak {peak:,.0f} MiB, "
        f"{seconds:,.0f} s, {size / 2**20:,.0f} MiB on disk, "
        f"opened and verified in {resumed:,.1f} s"
    )


if __name__ == "__main__":
    main()
