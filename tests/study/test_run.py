"""`initlab.run`: what goes in, what comes out, and what is refused."""

import importlib.metadata
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import initlab as il
from initlab.errors import InvalidValueError, OutputError, UnknownNameError
from initlab.results import SCHEMA
from initlab.spec import EXPLICIT
from initlab.study import estimate


def quick(**choices):
    return il.Study(**({"steps": 20, "inits": ["he_normal"]} | choices))


def test_the_dataset_has_the_vocabularys_dimensions_and_units(short_results):
    assert dict(short_results.loss.sizes) == {"init": 3, "member": 2, "step": 3}
    assert short_results.gradient_norm.dims == ("init", "member", "step", "layer")
    assert short_results.layer.values.tolist() == [1, 2, 3]
    assert short_results.step.values.tolist() == [0, 100, 150]
    for name, variable in short_results.data_vars.items():
        assert variable.dims == SCHEMA[name].dims
        assert variable.attrs["units"] == SCHEMA[name].units


def test_the_attributes_hold_the_whole_spec_and_what_made_the_numbers(short_results):
    study = il.from_toml(short_results.attrs["spec"])

    assert study.network.widths == (2, 10, 5, 1)
    assert study.loss == "binary_cross_entropy"
    assert short_results.attrs["engine"] == "lanes"
    assert importlib.metadata.version("numba") in short_results.attrs["versions"]
    assert importlib.metadata.version("numpy") in short_results.attrs["versions"]
    assert il.run(study, threads=1).equals(short_results)


@pytest.mark.parametrize("seeding", ["legacy", "stream"])
def test_no_number_depends_on_threads_or_the_number_of_members(seeding):
    one = il.run(quick(seeding=seeding), threads=1)
    three = il.run(quick(seeding=seeding, members=3), threads=2)

    assert three.loss[:, :1].values.tobytes() == one.loss.values.tobytes()


def test_a_new_layer_changes_no_other_tensors_stream():
    def losses_of_first_weights(widths):
        seen = []

        def spy(shape, rng):
            seen.append(rng.standard_normal(shape))
            return seen[-1]

        il.run(quick(network=il.MLP(widths=widths), inits=[spy], seeding="stream"))
        return seen

    short = losses_of_first_weights((2, 4, 1))
    long = losses_of_first_weights((2, 4, 1, 1))

    np.testing.assert_array_equal(short[0], long[0])
    np.testing.assert_array_equal(short[1], long[1])


def test_the_global_random_state_is_untouched():
    il.run(quick(), threads=1)  # what the types' checks draw as they are installed
    before = np.random.get_state()[1].tobytes()

    il.run(quick(seeding="stream", batch_size=7), threads=1)
    il.run(quick(seeding="legacy"), threads=1)

    assert np.random.get_state()[1].tobytes() == before


def test_arrays_and_functions_may_be_handed_in():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = np.where(X[:, 0] > 0, "yes", "no")

    def mine(shape, rng):
        return rng.standard_normal(shape)

    results = il.run(il.Study(problem=(X, y), inits=[mine, "zeros"], steps=20))

    assert results.init.values.tolist() == ["mine", "zeros"]
    study = il.from_toml(results.attrs["spec"])
    assert study.network.widths == (3, 10, 5, 1)
    assert len(study.problem.digest) == len(study.inits[0].digest) == 64
    with pytest.raises(il.InitlabError, match=r"pass problem=\(X, y\)"):
        il.run(study)


def test_three_classes_train_with_softmax_and_numbers_with_squared_error():
    wine = il.run(quick(problem="wine"), threads=1)
    diabetes = il.run(quick(problem="diabetes"), threads=1)

    assert il.from_toml(wine.attrs["spec"]).loss == "softmax_cross_entropy"
    assert il.from_toml(diabetes.attrs["spec"]).loss == "mean_squared_error"
    assert "train_r2" in diabetes
    assert "train_accuracy" not in diabetes


def test_explicit_weights_are_the_ones_that_train():
    drawn = np.random.RandomState(3)
    layers = [
        (drawn.randn(o, i) * np.sqrt(2 / i), np.zeros(o))
        for i, o in [(2, 10), (10, 5), (5, 1)]
    ]
    as_lesson = {"W1": layers[0][0], "W2": layers[1][0], "W3": layers[2][0]}
    as_lesson |= {f"b{i}": np.zeros((len(b), 1)) for i, (_, b) in enumerate(layers, 1)}

    results = il.run(
        quick(),
        weights={"mine": layers, "lesson": as_lesson, "bare": [w for w, _ in layers]},
    )

    assert results.init.values.tolist() == ["he_normal", "mine", "lesson", "bare"]
    for label in ("mine", "lesson", "bare"):
        np.testing.assert_array_equal(
            results.loss.sel(init=label), results.loss.sel(init="he_normal")
        )
    study = il.from_toml(results.attrs["spec"])
    assert study.inits[1].name == EXPLICIT
    with pytest.raises(InvalidValueError, match="weights="):
        il.run(study)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([np.zeros((10, 2))], "one .weight, bias. per layer, 3"),
        ([np.zeros((9, 2)), np.zeros((5, 10)), np.zeros((1, 5))], r"\(10, 2\)"),
        ([np.full((10, 2), np.nan), np.zeros((5, 10)), np.zeros((1, 5))], "finite"),
        ([[["x"]], np.zeros((5, 10)), np.zeros((1, 5))], "numbers"),
        ({"W1": np.zeros((10, 2)), "W3": np.zeros((1, 5))}, "W2"),
    ],
)
def test_explicit_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(InvalidValueError, match=message):
        il.run(quick(), weights={"mine": weights})


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"network": il.MLP(widths=(3, 1))}, "widths: the first .* 2 for circles"),
        ({"network": il.MLP(widths=(2, 3))}, "widths: the last .* 1 for circles"),
        ({"batch_size": 301}, "batch_size: at most the 300"),
        ({"problem": "wine", "loss": "binary_cross_entropy"}, "has 3"),
        ({"problem": "diabetes", "loss": "softmax_cross_entropy"}, "loss"),
    ],
)
def test_what_does_not_fit_the_data_is_refused(choices, message):
    with pytest.raises(il.InitlabError, match=message):
        il.run(quick(**choices))


def test_unknown_engines_and_thread_counts_are_refused():
    with pytest.raises(UnknownNameError, match="reference"):
        il.run(quick(), engine="referense")
    with pytest.raises(InvalidValueError, match="threads"):
        il.run(quick(), threads=0)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"threads": "2"}, "threads: must be a whole number, got '2'"),
        ({"threads": 1.5}, "threads: must be a whole number, got 1.5"),
        ({"threads": True}, "threads: must be a whole number, got True"),
        ({"part": ("1", 2)}, r"part: \(i, n\), whole numbers .* got \('1', 2\)"),
        ({"part": (3, 2)}, r"with 1 <= i <= n, got \(3, 2\)"),
        ({"part": 1}, "part: .* got 1"),
        ({"engine": 3}, "engine: must be one of auto, reference, .* got 3"),
        ({"weights": 3}, "weights: layers by label, .* got 3"),
        (
            {"weights": {"mine": 3}},
            r"weights\['mine'\]: a \(W, b\) per layer, .* got 3",
        ),
    ],
)
def test_choices_of_another_kind_are_refused_in_one_line(choices, message, tmp_path):
    with pytest.raises(InvalidValueError, match=message) as refused:
        il.run(quick(), store=tmp_path / "s.zarr", **choices)

    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_threads_are_counted_wherever_they_are_asked_for():
    network = il.MLP(widths=(2, 3))

    for ask in (
        lambda threads: il.signal(network, ["zeros"], threads=threads),
        lambda threads: estimate(quick(), threads=threads),
    ):
        with pytest.raises(InvalidValueError, match="threads: must be a whole"):
            ask(True)
        with pytest.raises(InvalidValueError, match="threads: must be at least 1"):
            ask(0)
        assert ask(1)


def test_a_file_is_written_once_and_read_without_us(tmp_path):
    store = tmp_path / "results.nc"

    results = il.run(quick(), store=store)

    opened = xr.open_dataset(store, engine="netcdf4")
    np.testing.assert_array_equal(opened.loss, results.loss)
    assert opened.attrs["spec"] == results.attrs["spec"]
    opened.close()
    assert [path.name for path in tmp_path.iterdir()] == [store.name]
    with pytest.raises(OutputError, match="exists already"):
        il.run(quick(), store=store)


def test_a_store_that_cannot_be_is_refused_before_any_training(tmp_path):
    with pytest.raises(InvalidValueError, match=r"\.zarr or \.nc"):
        il.run(quick(steps=10**9), store=tmp_path / "results.txt")
    with pytest.raises(OutputError, match="folder"):
        il.run(quick(steps=10**9), store=tmp_path / "none" / "results.nc")


def test_a_diverged_member_is_recorded_and_no_warning_leaks():
    network = il.MLP(activation="identity")
    study = quick(network=network, loss="mean_squared_error", learning_rate=1e6)

    results = il.run(study, threads=1)

    assert results.diverged_step.item() > 0
    table = str(il.compare(results))
    assert "diverged" in table


def test_two_outputs_make_a_binary_problem_a_softmax_one():
    results = il.run(quick(network=il.MLP(widths=(2, 4, 2))), threads=1)

    assert il.from_toml(results.attrs["spec"]).loss == "softmax_cross_entropy"


def test_squared_error_on_classes_scores_by_the_nearer_class():
    binary = il.run(quick(loss="mean_squared_error"), threads=1)
    many = il.run(quick(problem="wine", loss="mean_squared_error"), threads=1)

    assert 0 <= binary.train_accuracy[0, 0, -1].item() <= 1
    assert many.units.values[-1] == 3


def test_a_regression_in_the_plane_has_its_values_on_the_grid():
    X = np.random.default_rng(0).standard_normal((60, 2))

    results = il.run(quick(problem=(X, X[:, 0] * 1.5), steps=300, learning_rate=0.1))

    x = results.grid_output.isel(init=0)
    assert results.train_y.dims == ("example",)
    assert x[:, -1].mean() > x[:, 0].mean() + 1


def test_a_start_that_is_not_finite_is_the_cause():
    study = quick(inits=["he_normal(scale=1e100)"], loss="mean_squared_error")

    results = il.run(study, threads=1)

    assert "not finite before the first update" in il.compare(results).rows[0][-1]


def test_a_single_init_needs_no_list():
    assert il.Study(inits="he_normal").inits == il.Study(inits=["he_normal"]).inits


def test_ties_are_said():
    study = quick(inits=["zeros", "zeros(label='again')"], members=2)

    sentence = il.compare(il.run(study, threads=1)).pairs[0]

    assert sentence == (
        "zeros ended below again in final training loss in none of 2 members: all "
        "are ties"
    )


def test_divergence_at_the_last_step_is_recorded():
    network = il.MLP(activation="identity")
    choices = {"network": network, "loss": "mean_squared_error", "learning_rate": 1e6}
    first = il.run(quick(**choices, steps=200), threads=1).diverged_step.item()

    results = il.run(quick(**choices, steps=first), threads=1)

    assert results.diverged_step.item() == first
    assert np.isnan(results.loss[0, 0, -1])


def test_explicit_weights_may_differ_by_member():
    rng = np.random.default_rng(0)
    shapes = [(10, 2), (5, 10), (1, 5)]
    layers = [
        (rng.standard_normal((3, *shape)), rng.standard_normal((3, shape[0])))
        for shape in shapes
    ]
    alone = [(weight[1], bias[1]) for weight, bias in layers]

    three = il.run(quick(members=3), weights={"mine": layers})
    one = il.run(quick(), weights={"mine": alone})

    mine = three.loss.sel(init="mine", member=1)
    np.testing.assert_array_equal(mine, one.loss.sel(init="mine", member=0))


def test_inits_may_be_labelled_by_a_mapping():
    inits = {"a": lambda shape, rng: np.ones(shape), "b": "zeros"}  # noqa: ARG005

    results = il.run(quick(inits=inits), threads=1)

    assert results.init.values.tolist() == ["a", "b"]


def test_any_executor_may_train_and_no_number_changes():
    seen = []
    here = il.run(quick(members=3), threads=1)

    with ThreadPoolExecutor(2) as executor:
        there = il.run(
            quick(members=3),
            executor=executor,
            progress=lambda *now: seen.append(now),
        )

    assert there.equals(here)
    assert seen[-1] == (60, 60)


def test_a_failing_executor_is_not_waited_for():
    class Broken(ThreadPoolExecutor):
        def submit(self, *_, **__):
            future = Future()
            future.set_exception(RuntimeError("the cluster is gone"))
            return future

    with Broken(1) as executor, pytest.raises(RuntimeError, match="cluster is gone"):
        il.run(quick(members=2), executor=executor)


def test_the_lessons_columns_serve_every_member():
    weights = {"W1": np.ones((2, 2)), "b1": np.zeros((2, 1))}
    weights |= {"W2": np.ones((1, 2)), "b2": np.ones((1, 1))}
    study = quick(network=il.MLP(widths=(2, 2, 1)), members=3)

    losses = il.run(study, weights={"mine": weights}).loss.sel(init="mine")

    assert len(np.unique(losses.isel(step=0))) == 1


def test_a_weight_of_two_rows_as_lists_is_no_pair():
    study = quick(network=il.MLP(widths=(2, 2, 1)))
    rows = [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0]]]
    pairs = [[np.array(rows[0]), np.zeros(2)], (np.array(rows[1]), np.zeros(1))]

    results = il.run(study, weights={"rows": rows, "pairs": pairs})

    rows_loss, pairs_loss = (results.loss.sel(init=name) for name in ("rows", "pairs"))
    np.testing.assert_array_equal(rows_loss, pairs_loss)


@pytest.mark.parametrize("engine", ["lanes", "wide"])
def test_every_engine_gives_the_references_dataset(engine):
    study = quick(members=3, problem="moons", batch_size=50)

    found = il.run(study, engine=engine)

    expected = il.run(study, engine="reference")
    assert found.attrs["engine"] == engine
    xr.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_study_may_be_computed_in_float32():
    single, double = (
        il.run(quick(inits=["he_normal"], precision=precision))
        for precision in ("float32", "float64")
    )

    assert il.from_toml(single.attrs["spec"]).precision == "float32"
    np.testing.assert_allclose(single.loss, double.loss, rtol=1e-5)
    assert (single.loss != double.loss).any()


def test_the_reference_engine_refuses_float32():
    with pytest.raises(InvalidValueError, match="precision: the reference engine"):
        il.run(quick(precision="float32"), engine="reference")


@pytest.mark.parametrize("given", ["study.toml", {}, None])
def test_what_is_no_study_is_refused_with_the_way_to_one(given):
    with pytest.raises(InvalidValueError, match=r"^study: .*initlab\.from_toml"):
        il.run(given)
