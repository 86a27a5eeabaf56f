"""The interface: laws, ways to call, what comes back, what is refused."""

import random
import types

import jaxtyping
import numpy as np
import pytest

from initlab import catalog, testing
from initlab.errors import InitlabError, InvalidValueError, UnknownNameError
from initlab.spec import Init, LayerSpec
from initlab.testing import (
    BrokenPropertyError,
    Law,
    channels_last,
    check_initializer,
    examine_initializer,
    law_of,
)
from initlab.testing._calls import Sampler

HE = Law(distribution="normal", mode="fan_in", gain=2**0.5)


def he(shape, rng):
    return rng.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5


def is_matrix(shape):
    return len(shape) == 2


@pytest.fixture
def as_users_run(monkeypatch):
    """Without the shape checks of tests, which would refuse wrong types first."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def positional(shape, rng):
    return he(shape, rng)


def keyword(shape, *, generator):
    return he(shape, generator)


def optional(shape, dtype=None, rng=None):
    assert dtype is None
    return he(shape, rng)


def any_word(size, numbers):
    return he(size, numbers)


@pytest.mark.parametrize("function", [positional, keyword, optional, any_word])
def test_the_stream_is_handed_over_however_it_is_called(function):
    sampler = Sampler(function=function, seed=3)

    drawn = sampler.weight((3, 2), np.random.default_rng(0))

    np.testing.assert_array_equal(drawn, he((3, 2), np.random.default_rng(0)))


def test_a_function_of_the_shape_alone_gets_no_stream():
    own = np.random.default_rng(0)

    def mine(shape, dtype=np.float64):
        return he(shape, own).astype(dtype)

    report = check_initializer(mine, law=HE)

    assert "two calls differ" in report.names
    assert "other stream, other weights" not in report.names


@pytest.mark.parametrize("law", [HE, "he_normal", Init.parse("he_normal"), None])
def test_a_law_is_a_value_a_name_or_nothing(law):
    assert not check_initializer(he, law=law).broken


def test_without_a_law_only_what_everybody_owes_is_checked():
    report = check_initializer(lambda shape, rng: 7 * he(shape, rng))

    assert {"two calls differ", "duplicate units", "rank"} <= set(report.names)
    assert not {"std", "kurtosis", "forward variance"} & set(report.names)


def test_the_error_is_an_assertion_and_says_what_where_and_how_much():
    with pytest.raises(AssertionError, match=r"std at shape .*: measured .* expected"):
        check_initializer(lambda shape, rng: 1.1 * he(shape, rng), law=HE)


def test_the_error_is_initlabs_and_keeps_the_outcome():
    with pytest.raises(InitlabError) as raised:
        check_initializer(lambda shape, rng: 1.1 * he(shape, rng), law=HE)

    outcome = raised.value.outcome
    assert outcome.name == "std"
    assert outcome.measured == pytest.approx(1.1 * outcome.expected, rel=0.02)
    assert outcome.p < 1e-6


def test_an_examination_goes_on_to_the_last_check():
    def wrong(shape, rng):
        weight = 1.1 * he(shape, rng)
        weight[0] = 0
        return weight

    report = examine_initializer(wrong, law=HE)

    assert {"zero units", "std", "forward variance"} <= set(report.broken_names)
    assert "BROKEN" in str(report)


def test_what_is_declared_is_not_held_against_an_initializer():
    def copies(shape, rng):
        weight = he(shape, rng)
        weight[len(weight) // 2 :] = weight[: len(weight) - len(weight) // 2]
        return weight

    law = Law(full_rank=False, distinct_units=False)

    assert not check_initializer(copies, law=law).broken


def test_a_global_stream_may_be_allowed():
    def of_numpy(shape):
        return he(shape, np.random)

    report = check_initializer(of_numpy, law=HE, global_streams=True)

    assert not report.broken


@pytest.mark.usefixtures("as_users_run")  # beartype draws from `random`
def test_global_states_are_as_before_even_after_a_fault():
    np.random.seed(1)
    random.seed(1)
    before = np.random.get_state()[1].tobytes(), random.getstate()

    with pytest.raises(BrokenPropertyError):
        check_initializer(lambda shape: he(shape, np.random))

    assert (np.random.get_state()[1].tobytes(), random.getstate()) == before


def test_only_accepted_shapes_are_asked_for():
    def of_matrices(shape, rng):
        assert len(shape) == 2
        return he(shape, rng)

    assert not check_initializer(of_matrices, law=HE, accepts=is_matrix).broken


def test_another_seed_draws_other_numbers():
    first, second = (
        check_initializer(he, law=HE, accepts=is_matrix, rng_seed=seed)
        for seed in (0, 1)
    )

    assert first.outcomes[-5].measured != second.outcomes[-5].measured


class Tensor:
    """As another framework's: no array, but readable as one."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_tensors_are_read_through_dlpack():
    def of_framework(shape, rng):
        return Tensor(he(shape, rng))

    assert not check_initializer(of_framework, law=HE, accepts=is_matrix).broken


class Bfloat16Tensor:
    """As PyTorch's: part of a graph, and of a type that NumPy does not know."""

    dtype = "torch.bfloat16"

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def float(self):
        return self.array


def test_bfloat16_of_pytorch_keeps_its_type():
    import ml_dtypes

    def of_torch(shape, rng):
        rounded = he(shape, rng).astype(ml_dtypes.bfloat16)
        return Bfloat16Tensor(rounded.astype(np.float32))

    report = check_initializer(of_torch, law=HE, accepts=is_matrix, dtype="bfloat16")

    assert not report.broken


def test_pytorchs_global_stream_is_watched_where_it_is_loaded(monkeypatch):
    state = [np.zeros(2)]
    torch = types.SimpleNamespace(
        get_rng_state=lambda: state[0].copy(),
        set_rng_state=lambda new: state.__setitem__(0, new),
        Generator=lambda: types.SimpleNamespace(
            manual_seed=lambda seed: types.SimpleNamespace(
                get_state=lambda: np.full(2, seed)
            )
        ),
    )
    monkeypatch.setitem(__import__("sys").modules, "torch", torch)

    def of_torch(shape, rng):
        state[0] = state[0] + 1
        return he(shape, rng)

    with pytest.raises(BrokenPropertyError, match="the state of torch changed"):
        check_initializer(of_torch)
    assert (state[0] == 0).all()


def test_channels_last_turns_shapes_and_weights():
    def flax_like(shape, rng):
        assert shape == (3, 5, 2, 7)
        return he(shape, rng)

    drawn = channels_last(flax_like)((7, 2, 3, 5), np.random.default_rng(0))

    plain = he((3, 5, 2, 7), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, plain.transpose(3, 2, 0, 1))


def test_channels_last_keeps_the_law():
    def flax_like(shape, rng):
        return rng.standard_normal(shape) * (2 / np.prod(shape[:-1])) ** 0.5

    assert not check_initializer(channels_last(flax_like), law="he_normal").broken


@pytest.mark.parametrize("init", catalog.names())
def test_every_entry_of_the_catalog_has_a_law(init):
    law = law_of(init)

    assert law.random == catalog.get(init).random


def test_the_law_of_a_name_knows_its_parameters():
    assert law_of("normal(std=10, mean=3)").mean == 3
    assert law_of("uniform(low=1, high=4)").mean == 2.5
    assert law_of("truncated_normal(bound=0.5)").bound == 0.5
    assert law_of("he_normal(mode=fan_out, scale=-2)").gain == pytest.approx(8**0.5)
    assert law_of("glorot_normal").mode is None
    assert law_of("variance_scaling(distribution=uniform)").distribution == "uniform"


def test_a_layers_true_fan_scales_the_law():
    layer = LayerSpec(kind="conv", shape=(8, 4, 4), stride=(2,), transposed=True)

    assert HE.std_at(layer) == pytest.approx((2 / (8 * 4 / 2)) ** 0.5)


def test_whole_numbers_are_numbers():
    law = Law(std=1, distribution="normal")

    assert not check_initializer(lambda s, rng: rng.standard_normal(s), law=law).broken


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"law": "he_norml"}, UnknownNameError, "Did you mean 'he_normal'"),
        ({"function": 3}, InvalidValueError, "function: give a function of a shape"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        check_initializer(**{"function": he, **arguments})


@pytest.mark.usefixtures("as_users_run")
def test_an_unknown_distribution_is_refused():
    with pytest.raises(InvalidValueError, match="distribution: give one of normal"):
        Law(distribution="gaussian")


def test_the_package_exports_what_it_says():
    assert all(hasattr(testing, name) for name in testing.__all__)
