"""LSUV on networks as functions: what is scaled, what is left alone, what is told."""

import numpy as np
import pytest

from initlab import catalog
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import LayerSpec

NAMES = ("a", "b", "c")
TOLERANCE = 1e-3


def rng(seed=60):
    return np.random.default_rng(seed)


def weights_of(widths=(5, 20, 30, 4), seed=61, scale=3.0):
    drawing = rng(seed)
    return {
        name: scale * drawing.standard_normal((fan_out, fan_in))
        for name, fan_in, fan_out in zip(NAMES, widths, widths[1:], strict=False)
    }


class Network:
    """A network with biases; it counts how far it was run."""

    def __init__(self, inputs=None, biases=0.0, names=NAMES):
        self.inputs = rng(62).standard_normal((50, 5)) if inputs is None else inputs
        self.biases, self.names, self.runs = biases, names, []

    def __call__(self, weights):
        signal = self.inputs
        for name in self.names:
            self.runs.append(name)
            bias = self.biases * rng(63).standard_normal(len(weights[name]))
            outputs = signal @ weights[name].T + bias
            yield name, outputs
            signal = np.tanh(outputs)


def outputs_of(network, weights):
    return [np.asarray(outputs) for _, outputs in network(weights)]


def by_name(result):
    return {layer.name: layer for layer in result.layers}


def test_every_layer_ends_with_unit_variance():
    network = Network()

    result = catalog.lsuv(weights_of(), network, rng=rng(), tolerance=TOLERANCE)

    for layer, outputs in zip(
        result.layers, outputs_of(network, result.weights), strict=True
    ):
        assert layer.outcome == "scaled"
        assert layer.std_after == pytest.approx(outputs.std())
        assert outputs.std() == pytest.approx(1, abs=TOLERANCE)


def test_without_biases_one_division_is_exact():
    result = catalog.lsuv(weights_of(), Network(), rng=rng(), tolerance=1e-9)

    assert [layer.attempts for layer in result.layers] == [1, 1, 1]
    assert [layer.std_after for layer in result.layers] == pytest.approx([1, 1, 1])


def test_a_second_attempt_scales_the_same_layer():
    network = Network(biases=0.6)
    given = weights_of()

    result = catalog.lsuv(
        given, network, rng=rng(), start=None, tolerance=TOLERANCE, attempts=50
    )

    assert min(layer.attempts for layer in result.layers) > 1
    for outputs in outputs_of(network, result.weights):
        assert outputs.std() == pytest.approx(1, abs=TOLERANCE)
    for name, weight in result.weights.items():  # scaled as a whole, nothing else
        factors = weight / given[name]
        np.testing.assert_allclose(factors, factors[0, 0], rtol=1e-12)


def test_the_order_is_that_of_execution_not_of_the_weights():
    given = weights_of((5, 5, 5, 5))
    network = Network(names=("c", "a", "b"))

    result = catalog.lsuv(given, network, rng=rng(), tolerance=TOLERANCE)

    assert [layer.name for layer in result.layers] == ["c", "a", "b"]
    assert list(result.weights) == ["a", "b", "c"]
    for outputs in outputs_of(network, result.weights):
        assert outputs.std() == pytest.approx(1, abs=TOLERANCE)


def test_the_start_is_orthonormal_and_the_result_a_multiple_of_it():
    result = catalog.lsuv(weights_of(), Network(), rng=rng())

    for weight in result.weights.values():
        short = weight if weight.shape[0] <= weight.shape[1] else weight.T
        gram = short @ short.T
        np.testing.assert_allclose(gram, gram[0, 0] * np.eye(len(gram)), atol=1e-9)


def test_what_is_given_is_not_written_to():
    given = weights_of()
    before = {name: weight.tobytes() for name, weight in given.items()}

    def greedy(weights):
        for name, outputs in Network()(dict(weights)):
            yield name, outputs
            weights[name] *= 100.0

    calm = catalog.lsuv(given, Network(), rng=rng())
    robbed = catalog.lsuv(given, greedy, rng=rng())

    assert {name: weight.tobytes() for name, weight in given.items()} == before
    for name in NAMES:
        assert calm.weights[name].tobytes() == robbed.weights[name].tobytes()


def test_the_same_source_gives_the_same_bytes():
    first, second = (
        catalog.lsuv(weights_of(), Network(), rng=rng(7)).weights for _ in range(2)
    )

    assert all(first[name].tobytes() == second[name].tobytes() for name in NAMES)


def test_a_generator_is_read_no_further_than_the_layer_that_is_scaled():
    network = Network()

    catalog.lsuv(weights_of(), network, rng=rng(), tolerance=1e-9)

    order, first, second, third = (
        list("abc"),
        ["a"] * 2,
        list("ab") * 2,
        list("abc") * 2,
    )
    assert network.runs == [*order, *first, *second, *third, *order]


def test_a_shared_layer_is_scaled_at_its_first_run_and_later_ones_are_told():
    given = weights_of((5, 5, 5))
    network = Network(names=("a", "b", "a"))

    result = catalog.lsuv(given, network, rng=rng(), tolerance=TOLERANCE)

    first, _, again = outputs_of(network, result.weights)
    shared = by_name(result)["a"]
    assert [layer.name for layer in result.layers] == ["a", "b"]
    assert first.std() == pytest.approx(1, abs=TOLERANCE)
    assert shared.later_stds == pytest.approx((again.std(),))
    assert by_name(result)["b"].later_stds == ()


def test_a_zero_layer_stays_zero_and_what_follows_is_dead():
    given = weights_of() | {"b": np.zeros((30, 20))}

    result = catalog.lsuv(given, Network(), rng=rng())

    assert [layer.outcome for layer in result.layers] == ["scaled", "zero", "dead"]
    assert not result.weights["b"].any()
    assert all(np.isfinite(weight).all() for weight in result.weights.values())


@pytest.mark.parametrize(
    ("inputs", "biases"),
    [
        (np.zeros((50, 5)), 0.0),
        (np.zeros((50, 5)), 0.7),
        (np.ones((50, 5)) / 3, 0.7),
        (np.zeros((1, 5)), 0.0),
    ],
)
def test_outputs_that_do_not_vary_are_dead_and_left_alone(inputs, biases):
    network = Network(inputs, biases)

    result = catalog.lsuv(weights_of(), network, rng=rng(), start=None)

    assert {layer.outcome for layer in result.layers} == {"dead"}
    for name, weight in weights_of().items():
        assert result.weights[name].tobytes() == weight.tobytes()


def test_single_precision_noise_around_a_constant_is_dead():
    def forward(weights):
        noise = rng().choice([0.0, 1.0], (50, 20)).astype(np.float32)
        yield "a", np.float32(1000) + np.spacing(np.float32(1000)) * noise
        del weights

    result = catalog.lsuv({"a": np.ones((20, 5))}, forward, rng=rng())

    assert result.layers[0].outcome == "dead"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_leave_a_layer_alone(value):
    def forward(weights):
        yield "a", np.full((3, 2), value) + weights["a"].sum()

    result = catalog.lsuv({"a": np.eye(2)}, forward, rng=rng(), start=None)

    assert result.layers[0].outcome == "not finite"
    assert result.weights["a"].tolist() == np.eye(2).tolist()


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales_are_brought_back_or_told(scale):
    network = Network(rng(64).standard_normal((50, 5)))

    result = catalog.lsuv(
        weights_of(scale=scale), network, rng=rng(), start=None, tolerance=TOLERANCE
    )

    assert {layer.outcome for layer in result.layers} == {"scaled"}
    assert all(np.isfinite(weight).all() for weight in result.weights.values())


def test_a_division_that_overflows_is_told():
    def forward(weights):
        yield "a", 1e-300 * rng(65).standard_normal((9, 2)) + 0 * weights["a"].sum()

    result = catalog.lsuv({"a": 1e10 * np.eye(2)}, forward, rng=rng(), start=None)

    assert result.layers[0].outcome == "not finite"
    assert result.weights["a"].tolist() == (1e10 * np.eye(2)).tolist()


def test_biases_too_wide_for_unit_variance_are_told():
    result = catalog.lsuv(weights_of(), Network(biases=3.0), rng=rng(), attempts=4)

    assert {layer.outcome for layer in result.layers} <= {"not reached", "dead"}
    assert result.layers[0].attempts == 4
    assert result.layers[0].std_after > 1
    assert all(np.isfinite(weight).all() for weight in result.weights.values())


def test_layers_that_do_not_run_are_told():
    result = catalog.lsuv(weights_of(), Network(names=("a", "b")), rng=rng())

    assert by_name(result)["c"].outcome == "unused"


def test_parts_of_a_layer_may_be_stated():
    result = catalog.lsuv(
        {"a": np.ones((10, 5))},
        Network(names=("a",)),
        rng=rng(),
        shapes={"a": LayerSpec(shape=(10, 5), packed=2)},
    )

    for part in result.weights["a"].reshape(2, 5, 5):
        gram = part @ part.T
        np.testing.assert_allclose(gram, gram[0, 0] * np.eye(5), atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "forward", "choices", "error", "message"),
    [
        (
            {"a": np.ones(3)},
            Network(names=("a",)),
            {},
            InvalidValueError,
            "weights['a']: give finite numbers of two axes or more, got shape (3,)",
        ),
        (
            {"a": np.eye(2)},
            lambda weights: [weights["a"]],
            {},
            InvalidValueError,
            "forward: give (name, outputs) for every run of a layer, got ndarray",
        ),
        (
            {"layer1": np.eye(2)},
            lambda weights: [("layer2", weights["layer1"])],
            {},
            UnknownNameError,
            "unknown layer 'layer2'. Did you mean 'layer1'? Known: layer1.",
        ),
        (
            {"a": np.eye(2)},
            Network(),
            {"tolerance": 0.0},
            InvalidValueError,
            "tolerance: give a finite number above 0, got 0.0",
        ),
        (
            {"a": np.eye(2)},
            Network(),
            {"attempts": 0},
            InvalidValueError,
            "attempts: give 1 or more, got 0",
        ),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_what_cannot_be_run_is_refused_in_one_line(
    weights, forward, choices, error, message
):
    with pytest.raises(error) as caught:
        catalog.lsuv(weights, forward, rng=rng(), **choices)

    assert str(caught.value) == message


def test_a_network_that_changes_its_layers_is_refused():
    calls = []

    def forward(weights):
        calls.append(1)
        yield ("a" if len(calls) == 1 else "b"), weights["a"]

    given = {"a": np.eye(2), "b": np.eye(2)}
    with pytest.raises(InvalidValueError, match="the same layers every time"):
        catalog.lsuv(given, forward, rng=rng())
