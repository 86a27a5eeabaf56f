"""The door: what `draw` and `get` accept, and the line with which they refuse."""

import numpy as np
import pytest

from initlab import catalog
from initlab.errors import InitlabError, InvalidValueError, UnknownNameError
from initlab.spec import Init

SHAPE = (4, 3)


def rng():
    return np.random.default_rng(40)


def positional(shape, rng):
    return rng.standard_normal(shape)


def keyword_only(shape, *, rng):
    return rng.standard_normal(shape)


def other_word(size, source):
    return source.standard_normal(size)


class Drawer:
    def __call__(self, shape, rng):
        return rng.standard_normal(shape)


class Opaque:
    """As some compiled functions: `inspect.signature` raises."""

    __signature__ = "unreadable"

    def __call__(self, shape, rng):
        return rng.standard_normal(shape)


@pytest.mark.parametrize("function", [positional, keyword_only, other_word, Drawer()])
def test_a_function_of_the_users_is_called_with_shape_and_rng(function):
    weight = catalog.draw(function, SHAPE, rng=rng())

    np.testing.assert_array_equal(weight, rng().standard_normal(SHAPE))


def test_a_catalog_function_is_a_function_like_any_other():
    weight = catalog.draw(catalog.he_normal, SHAPE, rng=rng())

    assert weight.tobytes() == catalog.draw("he_normal", SHAPE, rng=rng()).tobytes()


def test_a_function_without_a_readable_signature_is_called_positionally():
    weight = catalog.draw(Opaque(), SHAPE, rng=rng())

    np.testing.assert_array_equal(weight, rng().standard_normal(SHAPE))


@pytest.mark.parametrize(
    "init", ["normal(std=10)", Init.parse("normal(std=10)"), {"name": "normal"}]
)
def test_an_init_is_text_or_a_value(init):
    assert catalog.draw(init, SHAPE, rng=rng()).shape == SHAPE


def test_an_alias_draws_what_it_points_to():
    alias, target = (
        catalog.draw(name, SHAPE, rng=rng()) for name in ("kaiming_normal", "he_normal")
    )

    assert alias.tobytes() == target.tobytes()


def test_scale_of_an_init_multiplies_a_functions_weights_too():
    init = Init.of(positional)
    scaled = init.model_copy(update={"scale": 3.0})

    expected = 3 * catalog.draw(init, SHAPE, rng=rng())

    actual = catalog.draw(scaled, SHAPE, rng=rng())
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, np.float16])
def test_a_functions_numbers_become_float64(dtype):
    def ones(shape, rng):  # noqa: ARG001 -- an init takes both
        return np.ones(shape, dtype)

    assert catalog.draw(ones, SHAPE, rng=rng()).dtype == np.float64


def test_a_functions_array_is_copied():
    mine = np.ones(SHAPE)

    weight = catalog.draw(lambda shape, rng: mine, SHAPE, rng=rng())  # noqa: ARG005 -- as above
    weight += 1

    assert (mine == 1).all()


def returning(value):
    def mine(shape, rng):  # noqa: ARG001 -- an init takes both
        return value

    return mine


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            np.ones((3, 4)),
            "init mine: must return an array of shape (4, 3), got shape (3, 4)",
        ),
        (0.5, "init mine: must return an array of shape (4, 3), got shape ()"),
        (
            np.ones(SHAPE) * 1j,
            "init mine: must return an array of shape (4, 3) and real numbers, "
            "got complex128",
        ),
        (
            None,
            "init mine: must return an array of shape (4, 3) and real numbers, "
            "got NoneType",
        ),
        (
            [[1.0], [1.0, 2.0]],
            "init mine: must return an array of shape (4, 3) and real numbers, "
            "got list",
        ),
        (
            np.full(SHAPE, np.nan),
            "init mine: gives weights that are not finite in shape (4, 3)",
        ),
        (
            np.full(SHAPE, np.inf),
            "init mine: gives weights that are not finite in shape (4, 3)",
        ),
    ],
)
def test_what_a_function_returns_is_checked(value, message):
    with pytest.raises(InvalidValueError) as caught:
        catalog.draw(returning(value), SHAPE, rng=rng())

    assert str(caught.value) == message


def test_a_function_with_other_arguments_is_refused():
    def mine(shape):
        return np.ones(shape)

    with pytest.raises(InvalidValueError) as caught:
        catalog.draw(mine, SHAPE, rng=rng())

    expected = "init mine: an init is called as f(shape, rng), got mine(shape)"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    "shape", [(10,), (), (10, 0), (10, -2), (10, 2.0), [10, 2], 10, None, (True, 2)]
)
@pytest.mark.usefixtures("as_users_run")
def test_a_wrong_shape_is_refused_in_one_line(shape):
    with pytest.raises(InvalidValueError) as caught:
        catalog.draw("he_normal", shape, rng=rng())

    assert str(caught.value) == (
        "shape: give a tuple of at least two positive integers, (fan_out, fan_in) "
        f"or (out, in, *kernel), got {shape!r}"
    )


@pytest.mark.usefixtures("as_users_run")
def test_a_long_wrong_shape_is_shortened():
    with pytest.raises(InvalidValueError, match=r"\.\.\.$"):
        catalog.draw("he_normal", list(range(1000)), rng=rng())


@pytest.mark.usefixtures("as_users_run")
def test_numpys_integers_are_integers():
    shape = (np.int64(4), np.int32(3))

    assert catalog.draw("he_normal", shape, rng=rng()).shape == SHAPE


@pytest.mark.parametrize(
    ("source", "shown", "hint"),
    [
        (3, "3", "default_rng(3)"),
        (np.int64(7), "7", "default_rng(7)"),
        (None, "NoneType", "default_rng(0)"),
        (True, "bool", "default_rng(0)"),
        (np.random, "module", "default_rng(0)"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_a_seed_is_no_source_of_random_numbers(source, shown, hint):
    with pytest.raises(InvalidValueError) as caught:
        catalog.draw("he_normal", SHAPE, rng=source)

    assert str(caught.value) == (
        f"rng: give numpy.random.Generator or RandomState, got {shown}; "
        f"for a seed write np.random.{hint}"
    )


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (
            "uniform(low=1, high=0)",
            "uniform: low must not be above high, got low=1 and high=0",
        ),
        (
            "uniform(low=-1e308, high=1e308)",
            "uniform: high - low must be finite, got low=-1e+308 and high=1e+308",
        ),
        (
            "normal(std=1e308, scale=1e10)",
            "init normal(std=1e+308, scale=10000000000): gives weights that are not "
            "finite in shape (4, 3)",
        ),
        (
            "he_normal(gain=1e200)",
            "init he_normal(gain=1e+200): gives weights that are not finite in "
            "shape (4, 3)",
        ),
        (
            Init(name="explicit"),
            "init explicit: explicit weights are not drawn; use the arrays themselves",
        ),
        (
            Init(name="callable", label="mine"),
            "init mine: its function is not here, as functions are not stored; "
            "give the function itself",
        ),
    ],
)
def test_an_init_that_cannot_be_drawn_is_refused_in_one_line(init, message):
    with pytest.raises(InvalidValueError) as caught:
        catalog.draw(init, SHAPE, rng=rng())

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: catalog.normal(SHAPE, rng=rng(), std=-1.0),
            "std: give a finite number at least 0, got -1.0",
        ),
        (
            lambda: catalog.truncated_normal(SHAPE, rng=rng(), bound=0.0),
            "bound: give a finite number above 0, got 0.0",
        ),
        (
            lambda: catalog.constant(SHAPE, rng=rng(), value=float("nan")),
            "value: give a finite number, got nan",
        ),
        (
            lambda: catalog.he_normal(SHAPE, rng=rng(), mode="fan_inn"),
            "unknown mode 'fan_inn'. Did you mean 'fan_in'? Known: fan_avg, "
            "fan_geometric, fan_in, fan_out.",
        ),
        (
            lambda: catalog.variance_scaling(SHAPE, rng=rng(), distribution="gauss"),
            "unknown distribution 'gauss'. Known: normal, truncated_normal, uniform.",
        ),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_a_direct_call_is_refused_in_one_line_too(call, message):
    with pytest.raises(InitlabError) as caught:
        call()

    assert str(caught.value) == message


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'he_normal'"):
        catalog.get("he_norml")


@pytest.mark.usefixtures("as_users_run")
def test_an_object_that_is_no_init_is_refused():
    with pytest.raises(InvalidValueError, match="an init is a name"):
        catalog.draw(3, SHAPE, rng=rng())


def test_the_bias_is_not_the_weights_business():
    plain, biased = (
        catalog.draw(init, SHAPE, rng=rng())
        for init in ("he_normal", "he_normal(bias=5)")
    )

    assert plain.tobytes() == biased.tobytes()
