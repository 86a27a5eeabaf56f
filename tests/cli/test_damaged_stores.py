"""Stores that lost chunks, whole or in part: refused before they become numbers."""

import json
import shutil

import pytest

import initlab as il
from initlab.errors import OutputError
from initlab.results import refuse_damaged, sole_writer, status
from initlab.results._keys import keys_of

# A study's shards: two inits in two blocks each.
_SHARDS = 4


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = tmp_path_factory.mktemp("finished") / "c.zarr"
    study = il.Study(inits=["zeros", "he_normal"], members=4, steps=20, shard_members=2)
    il.run(study, store=store, threads=1).close()
    (store.parent / "study.toml").write_text(il.to_toml(study))
    return store


@pytest.fixture
def store(finished, tmp_path):
    shutil.copy(finished.parent / "study.toml", tmp_path)
    return shutil.copytree(finished, tmp_path / "c.zarr")


def _removed(chunk):
    chunk.unlink()


def _emptied(chunk):
    chunk.write_bytes(b"")


def _flipped(chunk):
    data = chunk.read_bytes()
    chunk.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize("damage", [_removed, _emptied, _flipped])
@pytest.mark.parametrize(
    "command",
    [["report", "c.zarr"], ["export", "c.zarr", "a.csv"], ["power", "c.zarr"]],
    ids=lambda command: command[0],
)
def test_a_store_with_a_damaged_chunk_is_refused_and_mended(
    run, store, tmp_path, damage, command
):
    damage(store / "loss/c/1/0/0")

    code, out, err = run(*command)

    assert (code, out) == (2, "")
    assert err == (
        "initlab: store: c.zarr: 1 of 4 shards are damaged or miss chunks; run the "
        "study again to mend them\n"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"study.toml", "c.zarr"}
    assert run("run", "study.toml", "--store", "c.zarr")[0] == 0
    assert run(*command)[0] == 0


@pytest.mark.parametrize("damage", [_removed, _emptied])
def test_the_status_counts_lost_chunks_as_left(run, store, damage):
    damage(store / "loss/c/0/1/0")

    _, out, _ = run("status", "c.zarr")
    _, text, _ = run("status", "c.zarr", "--json")

    assert "1 shard; run the study again to mend them" in out
    found = json.loads(text)
    assert (found["networks_done"], found["networks"]) == (6, 8)
    assert (found["shards_done"], found["shards_damaged"]) == (_SHARDS - 1, 1)


def test_a_whole_store_is_passed_and_has_no_damage_to_tell(run, store):
    refuse_damaged(store)

    code, out, _ = run("status", "c.zarr")

    assert (code, "damaged" in out) == (0, False)
    assert status(store).shards_done == _SHARDS


def test_a_marker_cut_short_is_damage_and_no_traceback(run, store):
    _emptied(store / "shard/c/0/0/0")

    assert status(store).shards_damaged == 1
    assert run("export", "c.zarr", "a.nc")[0] == 2


def test_half_a_shard_is_damage_once_nobody_writes_it(store):
    _removed(store / "shard/c/0/0/0")
    _removed(store / "loss/c/0/0/0")

    with sole_writer(store, keys_of(store)):
        refuse_damaged(store)
    with pytest.raises(OutputError, match="1 of 4 shards"):
        refuse_damaged(store)


@pytest.mark.parametrize("damage", [_removed, _emptied])
@pytest.mark.parametrize("name", ["baseline_loss/c", "init/c/0", "step/c/0"])
def test_lost_labels_and_facts_are_named(run, store, damage, name):
    damage(store / name)

    code, _, err = run("report", "c.zarr")

    assert code == 2
    assert f"c.zarr: {name.partition('/')[0]} is damaged or missing" in err
    assert run("run", "study.toml", "--store", "c.zarr")[0] == 0
    assert run("export", "c.zarr", "a.csv")[0] == 0


def test_an_object_store_that_lost_a_chunk_is_refused(store):
    import fsspec

    address = "memory://lost/c.zarr"
    memory = fsspec.filesystem("memory")
    memory.put(str(store), "/lost/c.zarr", recursive=True)
    assert status(address).shards_done == _SHARDS
    refuse_damaged(address)
    memory.rm_file("/lost/c.zarr/loss/c/0/0/0")

    with pytest.raises(OutputError, match="1 of 4 shards"):
        il.export(address, store.parent / "a.csv")

    assert status(address).shards_done == _SHARDS - 1


def test_a_file_that_was_cut_off_is_said_to_be_that(run, tmp_path):
    il.run(il.Study(steps=10), store=tmp_path / "s.nc", threads=1)
    whole = (tmp_path / "s.nc").read_bytes()
    (tmp_path / "s.nc").write_bytes(whole[: len(whole) // 2])

    for command in (["report", "s.nc"], ["power", "s.nc"], ["export", "s.nc", "s.csv"]):
        status, out, err = run(*command)

        assert (status, out) == (2, "")
        assert err.startswith("initlab: store: s.nc is no whole NetCDF file (")
        assert err.count("\n") == 1
