"""Studies in stores: resumed, extended, refused when changed, read without us."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import initlab as il
from initlab.errors import InvalidValueError, OutputError
from initlab.results import migrated, open_store, pack


def small(**choices):
    base = {
        "network": {"width": 4},
        "inits": ["zeros", "he_normal"],
        "members": 10,
        "steps": 20,
        "shard_members": 4,
        "grid": {"network.depth": [1, 2]},
    }
    return il.Study(**(base | choices))


def assert_equal(stored, memory):
    """The variables of one are bit for bit those of the other."""
    for name in memory.data_vars:
        assert stored[name].dims == memory[name].dims
        assert stored[name].values.tobytes() == memory[name].values.tobytes(), name


class KilledError(Exception):
    """Stands for whatever ends a run."""


def in_the_second_cell(done, _):
    """End the run once the first cell's 20 networks are done."""
    if done > 20 * 20:
        raise KilledError


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    if request.param == "local":
        return tmp_path / "s.zarr"
    return f"memory://{tmp_path.name}/s.zarr"


def test_a_store_holds_what_memory_would(store):
    stored = il.run(small(), store=store, threads=1)

    assert_equal(stored, il.run(small(), threads=1))


def test_a_plain_study_in_a_store_has_the_same_dataset(tmp_path):
    study = il.Study(steps=20, members=3, inits=["he_normal", "normal(std=10)"])

    stored = il.run(study, store=tmp_path / "s.zarr", threads=1)

    memory = il.run(study, threads=1)
    assert_equal(stored, memory)
    assert stored.attrs == memory.attrs
    assert str(il.compare(stored)) == str(il.compare(memory))


def test_a_store_is_read_without_us_and_without_warnings(store):
    il.run(small(), store=store, threads=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = xr.open_zarr(str(store)).load()

    assert opened.loss.attrs["units"] == "loss"
    assert opened.step.attrs["units"] == "updates"
    assert opened.init.values.tolist() == ["zeros", "he_normal"]
    assert int(opened.shard.sel(fact="members").sum()) == 40


@pytest.mark.parametrize("engine", ["reference", "wide"])
def test_every_engine_fills_a_store(tmp_path, engine):
    study = small(members=2)

    stored = il.run(study, store=tmp_path / "s.zarr", engine=engine, threads=1)

    assert_equal(stored, il.run(study, engine=engine, threads=1))


def test_an_ended_run_leaves_nothing_beside_the_store(tmp_path):
    il.run(small(), store=tmp_path / "s.zarr", threads=1)

    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


def test_a_run_that_ended_early_is_resumed_and_nothing_is_done_twice(store):
    with pytest.raises(KilledError):
        il.run(small(), store=store, threads=1, progress=in_the_second_cell)
    there = int(open_store(store).shard.sel(fact="members").sum())
    steps, said = [], []

    resumed = il.run(
        small(), store=store, threads=1, say=said.append,
        progress=lambda _, total: steps.append(total),
    )  # fmt: skip

    assert 20 <= there < 40
    assert set(steps) == {(40 - there) * 20}
    assert f"{there} networks are there" in said[-1]
    assert_equal(resumed, il.run(small(), threads=1))


def test_what_is_not_run_yet_is_said_to_be_so(tmp_path):
    with pytest.raises(KilledError):
        il.run(
            small(), store=tmp_path / "s.zarr", threads=1, progress=in_the_second_cell
        )

    opened = open_store(tmp_path / "s.zarr")

    assert np.isnan(opened.loss[-1, -1, -1]).all()
    assert opened.diverged_step[-1, -1, -1] == -2


def test_shards_change_no_number(tmp_path):
    one = il.run(small(shard_members=3), store=tmp_path / "a.zarr", threads=1)
    other = il.run(small(shard_members=7), store=tmp_path / "b.zarr", threads=2)
    with ThreadPoolExecutor(2) as executor:
        third = il.run(small(), store=tmp_path / "c.zarr", executor=executor)

    for name in ("loss", "diverged_step", "weight_distance"):
        assert one[name].values.tobytes() == other[name].values.tobytes()
        assert one[name].values.tobytes() == third[name].values.tobytes()


def test_members_inits_and_learning_rates_are_added_without_redoing(store):
    before = small(grid={"learning_rate": [0.1]})
    il.run(before, store=store, threads=1)
    after = small(
        members=13, inits=["normal(std=1)", "zeros", "he_normal"],
        grid={"learning_rate": [0.01, 0.1]},
    )  # fmt: skip
    with pytest.raises(OutputError, match=r"smaller study \(members: 10 there, 13 he"):
        il.run(after, store=store, threads=1)
    steps = []

    grown = il.run(
        after, store=store, threads=1, extend=True,
        progress=lambda _, total: steps.append(total),
    )  # fmt: skip

    assert steps[-1] == 20 * (13 * 3 * 2 - 10 * 2)
    whole = il.run(after, threads=1)
    for name in ("loss", "train_accuracy", "diverged_step", "baseline_loss"):
        grown_in_order = grown[name].sortby("learning_rate")
        if "init" in grown_in_order.dims:
            grown_in_order = grown_in_order.sel(init=whole.init)
        assert grown_in_order.values.tobytes() == whole[name].values.tobytes()
    # Resuming needs no word about order.
    il.run(after, store=store, threads=1)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"steps": 30}, "steps: 20 there, 30 here"),
        ({"members": 9}, "members: 10 there, 9 here"),
        ({"inits": ["zeros"]}, "inits: 'he_normal' there, and not here"),
        ({"grid": {"network.depth": [2]}}, "grid.network.depth: 1 there, and not here"),
        ({"grid": {"learning_rate": [1]}}, "fields of grid: network.depth there"),
        ({"network": {"width": 5}}, "network.width: 4 there, 5 here"),
    ],
)
def test_another_study_is_refused_with_the_difference(tmp_path, choices, said):
    il.run(small(), store=tmp_path / "s.zarr", threads=1)

    for extend in (False, True):
        with pytest.raises(OutputError, match=said):
            il.run(small(**choices), store=tmp_path / "s.zarr", extend=extend)


def test_another_engine_or_version_is_refused_with_the_difference(
    tmp_path, monkeypatch
):
    store = tmp_path / "s.zarr"
    il.run(small(), store=store, engine="lanes")

    with pytest.raises(OutputError, match="engine: lanes there, reference here"):
        il.run(small(), store=store, engine="reference")
    monkeypatch.setattr(
        "importlib.metadata.version", lambda name: "0" if name == "numpy" else "1"
    )
    with pytest.raises(OutputError, match=r"versions, numpy: \S+ there, 0 here"):
        il.run(small(), store=store)


def test_data_that_changed_are_refused(tmp_path):
    rows = [f"{i},{i % 5},{i % 2}" for i in range(40)]
    file = tmp_path / "d.csv"
    study = small(problem=str(file), grid=None, network={})
    file.write_text("\n".join(["a,b,c", *rows]))
    il.run(study, store=tmp_path / "s.zarr", threads=1)
    file.write_text("\n".join(["a,b,c", *rows, "3,3,1"]))

    with pytest.raises(OutputError, match="data, "):
        il.run(study, store=tmp_path / "s.zarr", threads=1)


def test_a_changed_callable_is_refused(tmp_path):
    def factor(value):
        def mine(shape, rng):
            return value * rng.standard_normal(shape)

        return mine

    il.run(small(inits={"a": factor(1)}), store=tmp_path / "s.zarr", threads=1)
    il.run(small(inits={"a": factor(1)}), store=tmp_path / "s.zarr", threads=1)

    with pytest.raises(OutputError, match="another 'a' here, its source has changed"):
        il.run(small(inits={"a": factor(2)}), store=tmp_path / "s.zarr", threads=1)


def test_a_value_that_changed_under_a_study_is_refused(tmp_path):
    factors = [1.0]

    def mine(shape, rng):
        return factors[0] * rng.standard_normal(shape)

    study = small(inits={"a": mine})
    il.run(study, store=tmp_path / "s.zarr", threads=1)
    factors[0] = 2.0

    with pytest.raises(InvalidValueError, match="'a', or a value that it refers to"):
        il.run(study, store=tmp_path / "s.zarr", threads=1)
    again = small(inits={"a": mine})
    with pytest.raises(OutputError, match="another 'a' here"):
        il.run(again, store=tmp_path / "s.zarr", threads=1)


def test_a_second_writer_is_refused(tmp_path):
    refused = []

    def again(*_):
        if not refused:
            with pytest.raises(OutputError, match="is being written by process") as e:
                il.run(small(), store=tmp_path / "s.zarr", threads=1)
            refused.append(e)

    il.run(small(), store=tmp_path / "s.zarr", threads=1, progress=again)

    assert refused


def test_what_a_dead_writer_left_is_recognised(tmp_path):
    store = tmp_path / "s.zarr"
    il.run(small(), store=store, threads=1)
    note = {"process": 12345, "machine": "elsewhere", "since": "yesterday"}
    (store / "shard/.writer/process.json").write_text(json.dumps(note))
    said = []

    il.run(small(), store=store, threads=1, say=said.append)

    assert "process 12345 on elsewhere" in said[0]


def test_parts_hold_all_shards_once(tmp_path):
    parts = [
        il.run(small(), store=tmp_path / f"{i}.zarr", part=(i, 3), threads=1)
        for i in (1, 2, 3)
    ]

    there = sum(part.shard.sel(fact="members").notnull().astype(int) for part in parts)
    assert (there == 1).all()


def test_folders_of_others_are_refused(tmp_path):
    (tmp_path / "s.zarr").mkdir()
    (tmp_path / "s.zarr/photo.jpg").write_bytes(b"x")

    with pytest.raises(OutputError, match="holds no study"):
        il.run(small(), store=tmp_path / "s.zarr")
    with pytest.raises(OutputError, match="does not exist"):
        il.run(small(), store=tmp_path / "none" / "s.zarr")
    with pytest.raises(InvalidValueError, match=r"\.zarr or \.nc"):
        il.run(small(), store=tmp_path / "s.txt")


def test_results_that_have_no_room_are_refused_before_anything_is_written(tmp_path):
    huge = small(members=10**7, steps=10**7)

    with pytest.raises(InvalidValueError, match="of memory are free"):
        il.run(huge)
    with pytest.raises(InvalidValueError, match="are free"):
        il.run(huge, store=tmp_path / "s.zarr")
    assert list(tmp_path.iterdir()) == []


def test_older_datasets_are_brought_up_to_date_and_newer_ones_refused():
    older = pack(
        {"loss": np.ones((1, 1, 2))},
        {"init": ["a"], "member": [0], "step": [0, 1]},
        spec="", attributes={},
    ).assign_attrs(schema_version=1)  # fmt: skip
    older.step.attrs.clear()

    new = migrated(older)

    assert new.attrs["schema_version"] == 2
    assert new.attrs["kind"] == "run"
    assert new.step.attrs["units"] == "updates"
    with pytest.raises(InvalidValueError, match="install a newer one"):
        migrated(older.assign_attrs(schema_version=99))


def test_no_store_is_said_to_be_none(tmp_path):
    with pytest.raises(OutputError, match="there is no store"):
        open_store(tmp_path / "s.zarr")
    with pytest.raises(OutputError, match="there is no file"):
        open_store(Path(tmp_path / "s.nc"))
