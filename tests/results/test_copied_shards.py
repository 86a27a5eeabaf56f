"""Shards copied into a store: whole or not at all, whatever happens meanwhile."""

import pytest

import initlab as il
from initlab.errors import OutputError
from initlab.results import StudyStore, keys_of, merge
from initlab.results._keys import LocalKeys
from initlab.results._whole import layout_of, places


@pytest.fixture
def stores(tmp_path):
    """Return a store of the first of two members, and a larger one of both."""
    names = [tmp_path / name for name in ("small.zarr", "large.zarr")]
    for store, members in zip(names, (1, 2), strict=True):
        study = il.Study(inits=["he_normal"], members=members, steps=20)
        il.run(study, store=store, threads=1, engine="lanes").close()
    grown = il.Study(inits=["he_normal"], members=2, steps=20)
    parts = [
        StudyStore(name, keys_of(name), layout_of(keys_of(name))) for name in names
    ]
    parts[0].establish(il.to_toml(grown), {})
    layout = parts[1].layout
    parts[0] = StudyStore(names[0], keys_of(names[0]), layout)
    (place,) = places(layout)
    return parts[0], parts[1], place


def test_a_copy_that_is_interrupted_leaves_no_shard_that_counts(stores, monkeypatch):
    small, large, place = stores
    state, put, puts = large.state(place), LocalKeys.put, []

    def stop_at_the_third(self, key, data, **how):
        puts.append(key)
        if len(puts) == 3:
            raise KeyboardInterrupt
        put(self, key, data, **how)

    assert small.state(place).members == 1
    monkeypatch.setattr(LocalKeys, "put", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        small.copy(place, large, state, replaces=True)
    monkeypatch.undo()

    assert small.state(place) is None
    small.copy(place, large, state)
    assert small.chunks(place) == large.chunks(place)
    assert small.verified([(place, None)]) == {place: state}


def test_a_chunk_that_is_missing_is_not_copied_as_an_empty_one(stores):
    small, large, place = stores
    state, before = large.state(place), small.chunks(place)
    large.keys.remove(large.layout.chunk_key("loss", place.cell, place.init, 0))

    with pytest.raises(OutputError, match="not what its marker says"):
        small.copy(place, large, state, replaces=True)

    assert (small.chunks(place), small.state(place).members) == (before, 1)


def test_a_chunk_that_was_copied_in_part_is_refused(stores, monkeypatch):
    small, large, place = stores
    put = LocalKeys.put
    monkeypatch.setattr(
        LocalKeys,
        "put",
        lambda self, key, data, **how: put(self, key, data[:-1], **how),
    )

    with pytest.raises(OutputError, match="written in part"):
        small.copy(place, large, large.state(place), replaces=True)

    assert small.state(place) is None


def test_merging_again_copies_a_shard_that_does_not_count(tmp_path, stores):
    _, large, place = stores
    whole = tmp_path / "whole.zarr"
    merge(whole, [large.name])
    store = StudyStore(whole, keys_of(whole), large.layout)
    store.keys.remove(large.layout.state_key(place.cell, place.init, place.block))

    assert merge(whole, [large.name]) == 1
    assert store.state(place) == large.state(place)
