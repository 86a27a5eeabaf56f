"""Memory does not grow with the members; benchmarks/memory.py has the full size."""

import weakref

import pytest

import initlab as il
from initlab import engine
from initlab.study import _run


@pytest.mark.parametrize("members", [64, 256])
def test_no_more_histories_are_kept_than_those_of_the_shards_in_flight(
    tmp_path, monkeypatch, members
):
    losses, alive = [], []
    stream, keep = engine.stream_ensemble, _run.InStore.keep

    def watched(*work, **where):
        for numbers, histories in stream(*work, **where):
            losses.extend(weakref.ref(history.loss) for history in histories)
            yield numbers, histories
            del histories

    def counted(self, shard, done):
        alive.append(sum(loss() is not None for loss in losses))
        keep(self, shard, done)

    monkeypatch.setattr(engine, "stream_ensemble", watched)
    monkeypatch.setattr(_run.InStore, "keep", counted)
    study = il.Study(inits=["he_normal"], members=members, steps=10, shard_members=8)

    il.run(study, store=tmp_path / "s.zarr", engine="lanes", threads=1).close()

    assert len(alive) == members / 8
    # The shard that is written, and groups that a thread has ready.
    assert max(alive) <= 8 + 3 * 16
