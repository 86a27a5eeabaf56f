"""Whatever is handed in, `load` returns data or one line; nothing else leaves it."""

import io
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from initlab.errors import InitlabError
from initlab.problems import load
from initlab.spec import LOSS_NAMES, Problem

X = np.arange(24.0).reshape(12, 2) ** 2
LABELS = np.arange(12) % 2

losses = st.sampled_from([None, *LOSS_NAMES])
fuzz = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck)
)


def valid_npz():
    file = io.BytesIO()
    np.savez_compressed(file, X=X, y=LABELS)
    return file.getvalue()


def valid_h5():
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive["X"] = X
        archive["y"] = LABELS
    return file.getvalue()


def valid_csv():
    rows = (f"{a},{b},{label}\n" for (a, b), label in zip(X, LABELS, strict=True))
    return ("width,height,kind\n" + "".join(rows)).encode()


VALID = {".npz": valid_npz(), ".h5": valid_h5(), ".csv": valid_csv()}

every_format = pytest.mark.parametrize("suffix", sorted(VALID))


def assert_loads_or_refuses(problem, loss=None):
    before = np.random.get_state()[1].tolist()
    refusal = ""

    try:
        data = load(problem, loss=loss)
    except InitlabError as error:
        refusal = str(error)

    assert "\n" not in refusal
    if not refusal:
        assert np.isfinite(data.train_x).all()
        assert np.isfinite(data.test_x).all()
        assert data.train_x.flags.c_contiguous
        assert len(data.train_x) == len(data.train_y) > 0
        assert len(data.feature_names) == data.features > 0

    assert np.random.get_state()[1].tolist() == before


def assert_file_loads_or_refuses(content, suffix, loss=None, **choices):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"data{suffix}"
        path.write_bytes(content)
        assert_loads_or_refuses(Problem(name=str(path), **choices), loss)


@every_format
@fuzz
@given(content=st.binary(max_size=400), keeps_magic=st.booleans())
def test_random_bytes_in_a_file(suffix, content, keeps_magic):
    start = VALID[suffix][:8] if keeps_magic else b""

    assert_file_loads_or_refuses(start + content, suffix)


@every_format
@fuzz
@given(data=st.data(), loss=losses)
def test_a_valid_file_with_a_few_bytes_changed(suffix, data, loss):
    content = bytearray(VALID[suffix])
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.one_of(st.just(len(content)), places))

    assert_file_loads_or_refuses(bytes(content[:length]), suffix, loss)


cells = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["", "nan", "NA", "yes", "no", '"', "a;b", " 1 ", "1_0", "\x00"]),
    st.text(max_size=4),
)


@fuzz
@given(
    rows=st.lists(st.lists(cells, max_size=4), max_size=8),
    delimiter=st.sampled_from(",;\t"),
    target=st.sampled_from([None, "yes", "column 1", ""]),
    loss=losses,
)
def test_random_text_in_a_csv_file(rows, delimiter, target, loss):
    text = "\n".join(delimiter.join(row) for row in rows)

    assert_file_loads_or_refuses(
        text.encode("utf-8", "surrogatepass"), ".csv", loss, target=target
    )


@fuzz
@given(
    rows=st.lists(
        st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.sampled_from("ab1")),
        min_size=1,
        max_size=9,
    ),
    loss=losses,
)
def test_tidy_rows_in_a_csv_file(rows, loss):
    text = "\n".join(",".join(map(str, row)) for row in rows)

    assert_file_loads_or_refuses(text.encode(), ".csv", loss)


dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.byte_string_dtypes(max_len=4),
    hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(),
)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
anything = st.one_of(
    hnp.arrays(dtypes, shapes),
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
            st.complex_numbers(), st.binary(max_size=3),
        ),
        lambda inner: st.lists(inner, max_size=5),
        max_leaves=20,
    ),
)  # fmt: skip


@fuzz
@given(X=anything, y=anything, loss=losses)
def test_random_arrays(X, y, loss):
    assert_loads_or_refuses(Problem.of_arrays(X, y), loss)


@fuzz
@given(
    data=st.data(),
    rows=st.integers(1, 12),
    loss=losses,
    standardize=st.booleans(),
    test_fraction=st.floats(0, 0.999),
)
def test_random_arrays_of_fitting_shapes(data, rows, loss, standardize, test_fraction):
    X = data.draw(hnp.arrays(hnp.floating_dtypes(), (rows, 2)))
    y = data.draw(hnp.arrays(dtypes, st.sampled_from([(rows,), (rows, 1), (rows, 3)])))

    problem = Problem.of_arrays(
        X, y, standardize=standardize, test_fraction=test_fraction
    )

    assert_loads_or_refuses(problem, loss)


@fuzz
@given(
    name=st.sampled_from(["circles", "moons", "spirals", "xor", "blobs"]),
    noise=st.none() | st.floats(0, allow_infinity=False),
    examples=st.integers(1, 400),
    test_fraction=st.floats(0, 1, exclude_max=True),
    standardize=st.booleans(),
    seed=st.integers(0, 2**33),
)
def test_random_choices_of_generated_problems(**choices):
    tested = choices["examples"] / (1 - choices["test_fraction"])
    if 1e5 < tested < 1e7:  # legal, and slow
        choices["test_fraction"] = 0.5

    assert_loads_or_refuses(Problem(**choices))
