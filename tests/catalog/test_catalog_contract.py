"""What every row of the catalog owes, tested over the whole table."""

import doctest
import importlib
import inspect
import math
import pkgutil
import typing

import hypothesis.strategies as st
import numpy as np
import pytest
from catalog_shapes import legal
from hypothesis import given, settings

from initlab import catalog
from initlab.catalog import CATALOG
from initlab.catalog._entry import Need
from initlab.errors import InvalidValueError
from initlab.spec import (
    INIT_ALIASES,
    INIT_NAMES,
    INIT_PARAMETERS,
    PROCEDURE_NAMES,
    Init,
    LayerSpec,
)

NAMES = tuple(CATALOG)
RANDOM_NAMES = [name for name in NAMES if CATALOG[name].random]

every_initializer = pytest.mark.parametrize("name", NAMES)
every_random_initializer = pytest.mark.parametrize("name", RANDOM_NAMES)
sizes = st.integers(1, 12)
shapes = st.one_of(
    st.tuples(sizes, sizes),
    st.tuples(sizes, sizes, st.integers(1, 3)),
    st.tuples(sizes, sizes, st.integers(1, 3), st.integers(1, 3)),
)


def test_the_catalog_has_the_rows_that_the_spec_names():
    assert NAMES == INIT_NAMES == catalog.names()
    assert tuple(catalog.PROCEDURES) == PROCEDURE_NAMES


@every_initializer
def test_names_and_defaults_of_parameters_agree_with_the_spec(name):
    fields = INIT_PARAMETERS[name].model_fields

    assert CATALOG[name].parameters == {
        parameter: field.default for parameter, field in fields.items()
    }


@every_initializer
def test_types_of_parameters_agree_with_the_spec(name):
    hints = typing.get_type_hints(inspect.unwrap(CATALOG[name].draw))

    for parameter, field in INIT_PARAMETERS[name].model_fields.items():
        assert hints[parameter] == field.annotation


@every_initializer
def test_law_and_draw_take_the_same_parameters(name):
    entry = CATALOG[name]
    law = inspect.signature(entry.std).parameters

    assert set(entry.parameters) <= set(law)
    if name != "zeros" and name != "ones":  # they share the law of `constant`
        assert set(law) - {"shape"} == set(entry.parameters)


@every_initializer
def test_law_and_kurtosis_accept_every_default_written_out(name):
    entry = CATALOG[name]
    shape = legal(name, (6, 4))

    assert entry.std(shape, **entry.parameters) == entry.std(shape)
    if entry.excess_kurtosis is not None:
        written_out = entry.excess_kurtosis(shape, **entry.parameters)
        assert written_out == entry.excess_kurtosis(shape)


@pytest.mark.parametrize(("alias", "target"), INIT_ALIASES.items())
def test_an_alias_points_to_a_row_and_is_none(alias, target):
    assert alias not in CATALOG
    assert catalog.get(alias) is CATALOG[target]


@every_initializer
def test_the_package_exports_the_initializer_under_its_name(name):
    assert getattr(catalog, name) is CATALOG[name].draw
    assert name in catalog.__all__


@every_initializer
def test_signature_is_the_shape_and_a_keyword_rng(name):
    shape, rng, *_ = inspect.signature(CATALOG[name].draw).parameters.values()

    assert (shape.name, rng.name) == ("shape", "rng")
    assert rng.kind is inspect.Parameter.KEYWORD_ONLY
    assert rng.default is inspect.Parameter.empty


@every_initializer
@settings(max_examples=25, deadline=None)
@given(shape=shapes, seed=st.integers(0, 2**32 - 1))
def test_same_seed_gives_same_bytes_in_the_shape_asked_for(name, shape, seed):
    shape = legal(name, shape)
    for source in (np.random.default_rng, np.random.RandomState):
        first, second = (catalog.draw(name, shape, rng=source(seed)) for _ in range(2))

        assert first.shape == shape
        assert first.dtype == np.float64
        assert first.tobytes() == second.tobytes()


@st.composite
def layers(draw):
    kind = draw(st.sampled_from(["linear", "conv", "embedding"]))
    if kind != "conv":
        packed = draw(st.integers(1, 3)) if kind == "linear" else 1
        shape = (packed * draw(sizes), draw(sizes))
        return LayerSpec(kind=kind, shape=shape, packed=packed)
    groups, axes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    small = st.lists(st.integers(1, 3), min_size=axes, max_size=axes)
    return LayerSpec(
        kind="conv",
        shape=(groups * draw(sizes), draw(sizes), *draw(small)),
        groups=groups,
        stride=tuple(draw(small)),
        dilation=tuple(draw(small)),
        transposed=draw(st.booleans()),
    )


@every_initializer
@settings(max_examples=25, deadline=None)
@given(layer=layers())
def test_every_layer_is_drawn_by_its_law_or_refused(name, layer):
    entry = CATALOG[name]
    try:
        weight = catalog.draw(name, layer, rng=np.random.default_rng(8))
    except InvalidValueError:
        assert set(entry.needs) & {"conv", "position"}
        return

    law = entry.std(layer)
    assert weight.shape == layer.shape
    assert law >= 0
    if entry.excess_kurtosis is None:
        assert weight.std() == pytest.approx(law, rel=1e-9, abs=1e-12)
    else:
        assert math.isfinite(entry.excess_kurtosis(layer))
        assert abs(weight).max(initial=0) <= 7 * law * math.sqrt(weight.size)


@every_initializer
def test_the_global_random_state_is_left_alone(name):
    before = np.random.get_state()
    shape = legal(name, (20, 30))

    for source in (np.random.default_rng, np.random.RandomState):
        catalog.draw(name, shape, rng=source(0))
        catalog.draw_bias(name, shape, rng=source(0))

    after = np.random.get_state()
    assert before[0] == after[0]
    assert before[1].tobytes() == after[1].tobytes()
    assert before[2:] == after[2:]


@every_initializer
def test_two_calls_differ_unless_nothing_is_random(name):
    rng = np.random.default_rng(5)
    state = rng.bit_generator.state

    shape = legal(name, (8, 8))
    first, second = (catalog.draw(name, shape, rng=rng) for _ in range(2))

    changed = first.tobytes() != second.tobytes()
    advanced = rng.bit_generator.state != state
    assert changed == advanced == CATALOG[name].random


@every_random_initializer
def test_a_stated_number_of_draws_and_no_more_advances_the_source(name):
    shape, seed = legal(name, (8, 6)), 11
    drawing, counting = (np.random.RandomState(seed) for _ in range(2))

    catalog.draw(name, shape, rng=drawing)

    uniform = "uniform" in CATALOG[name].distribution
    truncated = CATALOG[name].distribution == "truncated_normal"
    count = counting.random_sample if uniform or truncated else counting.standard_normal
    # One per entry; of a kernel's centre only, or of one in four mirrored blocks.
    count({"delta_orthogonal": 48, "looks_linear": 12}.get(name, np.prod(shape)))
    if name == "sparse":
        counting.random_sample(48)
    assert drawing.random_sample() == counting.random_sample()


MATRICES = [(48, 48), (12, 40), (40, 12), (12, 2), (1, 5)]


@every_initializer
def test_units_are_distinct_in_every_shape_exactly_where_declared(name):
    found = []
    for shape in [*MATRICES, (12, 10, 3, 3)]:
        weight = catalog.draw(name, legal(name, shape), rng=np.random.default_rng(1))
        rows = weight.reshape(len(weight), -1)
        found.append(len(np.unique(rows, axis=0)) == len(weight))

    assert all(found) == CATALOG[name].distinct_units


@every_initializer
def test_the_rank_is_full_in_every_shape_exactly_where_declared(name):
    found = []
    for shape in MATRICES:
        weight = catalog.draw(name, legal(name, shape), rng=np.random.default_rng(2))
        # The one position of a kernel that is not 0.
        matrix = weight if weight.ndim == 2 else weight[:, :, 1]
        found.append(np.linalg.matrix_rank(matrix) == min(matrix.shape))

    assert all(found) == CATALOG[name].full_rank


@every_initializer
def test_what_it_needs_is_said_and_fans_are_needed_where_they_count(name):
    entry = CATALOG[name]
    groups = 1 if name == "looks_linear" else 2
    layer = LayerSpec(
        kind="conv", shape=(12, 6, 3, 3), groups=groups, stride=(2, 2), transposed=True
    )

    fans_count = entry.std(layer, **entry.parameters) != entry.std(layer.shape)

    assert entry.needs
    assert set(entry.needs) <= set(typing.get_args(Need))
    assert not fans_count or "layer" in entry.needs


@every_initializer
def test_a_layer_gets_a_weight_of_its_shape(name):
    groups = 1 if name == "looks_linear" else 2
    layer = LayerSpec(kind="conv", shape=(4, 4, 3, 3), groups=groups, transposed=True)

    weight = catalog.draw(name, layer, rng=np.random.default_rng(6))
    bias = catalog.draw_bias(name, layer, rng=np.random.default_rng(6))

    assert weight.shape == layer.shape
    assert bias.shape == (4 * groups,)


@every_random_initializer
@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (12, 10, 3, 3)])
def test_no_unit_is_zero_or_a_multiple_of_another(name, shape):
    weight = catalog.draw(name, legal(name, shape), rng=np.random.default_rng(3))

    rows = weight.reshape(len(weight), -1)
    if name == "looks_linear":  # opposites are what it is for
        rows = rows[: len(rows) // 2]
    norms = np.linalg.norm(rows, axis=1)
    cosines = (rows @ rows.T) / np.outer(norms, norms) - np.eye(len(rows))
    assert norms.min() > 0
    assert abs(cosines).max() < 1 - 1e-6  # copies would reach 1 to rounding, 1e-15


@every_initializer
@pytest.mark.parametrize("scale", [100, -0.5, 0])
def test_scale_multiplies_every_weight(name, scale):
    plain, scaled = (
        catalog.draw(init, legal(name, (6, 4)), rng=np.random.default_rng(4))
        for init in (name, f"{name}(scale={scale})")
    )

    np.testing.assert_array_equal(scaled, plain * scale)


@every_initializer
def test_a_row_says_where_it_is_from_and_what_it_is_for(name):
    entry = CATALOG[name]

    assert entry.formula
    assert entry.summary
    assert entry.use_when
    assert entry.not_when
    assert entry.reference is catalog.BIBLIOGRAPHY[entry.cite]
    assert entry.formula.isascii()


def test_the_bibliography_holds_what_is_cited_and_nothing_else():
    everything = [*CATALOG.values(), *catalog.PROCEDURES.values()]
    assert {entry.cite for entry in everything} == set(catalog.BIBLIOGRAPHY)
    for reference in catalog.BIBLIOGRAPHY.values():
        assert reference.link.startswith("https://")
        assert str(reference.year) in str(reference)


@pytest.mark.parametrize("name", catalog.PROCEDURES)
def test_a_procedure_says_what_it_needs_and_is_no_init(name):
    procedure = catalog.PROCEDURES[name]

    assert procedure.needs
    assert set(procedure.needs) <= set(typing.get_args(Need))
    assert procedure.run is getattr(catalog, name)
    assert procedure.reference.link in inspect.getdoc(procedure.run)
    with pytest.raises(InvalidValueError, match="needs a batch of data"):
        Init.parse(name)


@every_initializer
def test_the_initializer_documents_itself_with_example_and_references(name):
    documentation = inspect.getdoc(CATALOG[name].draw)

    assert ">>>" in documentation
    assert "References:" in documentation
    assert CATALOG[name].reference.link in documentation.replace("\n", "")


ROOM = [catalog.__name__] + [
    f"{catalog.__name__}.{module.name}"
    for module in pkgutil.iter_modules(catalog.__path__)
]


@pytest.mark.parametrize("module", ROOM)
def test_examples_in_the_documentation_run(module):
    outcome = doctest.testmod(importlib.import_module(module))

    assert outcome.attempted > 0
    assert outcome.failed == 0
