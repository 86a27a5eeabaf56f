"""Memory does not grow with the members; benchmarks/memory.py has the full size."""

import sys
import tracemalloc
from pathlib import Path

import pytest

import initlab as il

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def study_of():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        import memory

        yield lambda members: memory.study(members).model_copy(
            update={"shard_members": 100}
        )


def peak(study, store):
    tracemalloc.start()
    try:
        il.run(study, store=store, engine="lanes", threads=1).close()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_four_times_the_members_take_the_same_memory(study_of, tmp_path):
    il.run(study_of(16), store=tmp_path / "warm.zarr", engine="lanes", threads=1)

    small = peak(study_of(400), tmp_path / "small.zarr")
    large = peak(study_of(1600), tmp_path / "large.zarr")

    results = 1600 * 100 * 8  # what would be kept, in bytes
    assert large - small < results / 4
