"""Arrays handed in as `(X, y)`: shapes, targets, and what is refused."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from initlab.errors import DataError
from initlab.problems import load
from initlab.spec import Problem

X = np.arange(24.0).reshape(12, 2) ** 2
LABELS = np.arange(12) % 2


def load_arrays(X, y, loss=None, **choices):
    return load(Problem.of_arrays(X, y, **choices), loss=loss)


def targets(y, loss=None):
    """Targets in the order given, with the classes and notes of the whole."""
    x = np.arange(float(max(np.shape(y))))[:, None]
    data = load_arrays(x, y, loss, test_fraction=0)
    return data.train_y[np.argsort(data.train_x[:, 0])].tolist(), data


class Hostile:
    """An array type whose conversion fails."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("not\ntoday")


@pytest.mark.parametrize(
    ("y", "labels", "classes", "note"),
    [
        ([0, 1, 2, 0], [0, 1, 2, 0], ("0", "1", "2"), None),
        ([-1, 1, 1], [0, 1, 1], ("-1", "1"), "labels mapped: -1 -> 0, 1 -> 1"),
        (["no", "yes"], [0, 1], ("no", "yes"), "labels mapped: no -> 0, yes -> 1"),
        ([b"no", b"yes"], [0, 1], ("no", "yes"), "labels mapped: no -> 0, yes -> 1"),
        (np.array([b"b", b"a"]), [1, 0], ("a", "b"), "labels mapped: a -> 0, b -> 1"),
        ([True, False], [1, 0], ("False", "True"), "mapped: False -> 0, True -> 1"),
        ([0.0, 1.0], [0, 1], ("0", "1"), None),
        ([2.0, 7.0], [0, 1], ("2", "7"), "labels mapped: 2 -> 0, 7 -> 1"),
        (np.array([[3, 5, 5]]), [0, 1, 1], ("3", "5"), "3 -> 0, 5 -> 1"),
        (np.array([[0], [1], [1]]), [0, 1, 1], ("0", "1"), None),
        (np.array([3, 9], dtype=np.uint64), [0, 1], ("3", "9"), "3 -> 0, 9 -> 1"),
        (np.eye(3, dtype=int), [0, 1, 2], ("0", "1", "2"), "one-hot"),
        (np.eye(3, dtype=bool), [0, 1, 2], ("0", "1", "2"), "one-hot"),
        (np.eye(3), [0, 1, 2], ("0", "1", "2"), "one-hot"),
    ],
)
def test_targets_that_name_classes_become_labels(y, labels, classes, note):
    actual, data = targets(y)

    assert actual == labels
    assert data.classes == classes
    assert data.train_y.dtype == np.int64
    assert any(note in n for n in data.notes) if note else data.notes == ()


@pytest.mark.parametrize(
    ("y", "loss", "columns"),
    [
        ([0.5, 1.5, 2.0], None, 1),
        ([0.5, 1.5, 2.0], "mean_squared_error", 1),
        ([Decimal("0.5"), Fraction(1, 3), 2], None, 1),
        (np.arange(21.0), None, 1),
        (np.arange(21), "mean_squared_error", 1),
        (np.arange(6.0).reshape(3, 2), None, 2),
        (np.arange(6).reshape(3, 2), "mean_squared_error", 2),
        (np.eye(3), "mean_squared_error", 3),
    ],
)
def test_targets_that_are_numbers_become_columns(y, loss, columns):
    actual, data = targets(y, loss)

    expected = np.asarray(y, dtype=float).reshape(-1, columns)
    assert actual == expected.tolist()
    assert (data.classes, data.outputs) == (None, columns)
    assert data.train_y.dtype == np.float64


@pytest.mark.parametrize("loss", [None, "softmax_cross_entropy"])
def test_many_integers_are_classes_unless_the_error_is_squared(loss):
    _, data = targets(np.arange(25), loss)

    assert len(data.classes) == data.outputs == 25
    assert any("'mean_squared_error' makes them a regression" in n for n in data.notes)


def test_many_integral_floats_are_classes_if_the_loss_says_so():
    _, data = targets(np.arange(25.0), "softmax_cross_entropy")

    assert data.outputs == 25


def test_few_integers_stay_classes_under_a_squared_error():
    _, data = targets([0, 1, 1, 0], "mean_squared_error")

    assert data.is_classification
    assert data.outputs == 1


def test_a_long_mapping_is_shortened_in_the_note():
    _, data = targets([f"{'long name ' * 9}{i:02}" for i in range(40)])

    (note,) = data.notes
    assert "(40 in all)" in note
    assert len(note) < 500


@pytest.mark.parametrize(
    ("y", "loss", "message"),
    [
        ([0.5, 1.0, 0.0], "binary_cross_entropy", "row 1 is 0.5.*mean_squared_error"),
        (np.full((3, 2), 0.5), "softmax_cross_entropy", "must be one-hot rows"),
        (np.arange(6).reshape(3, 2), None, "must be one-hot rows"),
        (np.array([["a", "b"], ["c", "d"]]), None, "must be one-hot rows"),
        ([1, 1, 1], None, "all 3 targets are '1'; at least two classes"),
        (["a", "a"], None, "all 2 targets are 'a'; at least two classes"),
        ([[1, 0], [1, 0]], None, "one-hot targets are of class 0; at least two"),
        (["a", None], None, "y row 2 is missing"),
        (["a", float("nan")], None, "y row 2 is missing"),
        ([1, pd.NA], None, "y row 2 is missing"),
        (np.array([1.0, np.nan]), None, "y row 2: nan is not a finite"),
        (np.array([[1.0, 2.0], [np.inf, 1.0]]), None, "row 2, column 1: inf"),
        (np.array([1, 1e4000], dtype=np.longdouble), None, "row 2: inf"),
        (["a", 1], None, "must hold class names or real numbers, got int, str"),
        ([1j, 2j], None, "must hold class names or real numbers, got complex"),
        (np.array([1j, 2j]), None, "real numbers, got complex128"),
        (np.array(["2020-01-01"] * 2, "M8[D]"), None, "real numbers, got datetime64"),
        ([2**70, 1], None, "holds a number that int64 does not"),
        (np.zeros((2, 2, 2)), None, "must have shape .example,. or"),
        (np.zeros((2, 0)), None, "must have shape .example,. or"),
        (np.float64(3), None, r"got \(\)"),
        (np.ma.array([0, 1], mask=[0, 1]), None, "y has masked values"),
        (Hostile(), None, "y is not an array .not today."),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(y, loss, message):
    rows = 2 if isinstance(y, Hostile | np.float64) else len(y)

    with pytest.raises(DataError, match=message) as refusal:
        load_arrays(np.ones((rows, 1)), y, loss)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1, 2], r"X must have shape \(example, feature\).*X.reshape\(-1, 1\)"),
        (3.0, r"X must have shape \(example, feature\), got \(\)"),
        (np.zeros((0, 2)), "X has no rows"),
        (np.zeros((2, 0)), "X has no feature columns"),
        (np.zeros((2, 2), complex), "must hold real numbers, got complex128"),
        (np.zeros((2, 2), "M8[s]"), "must hold real numbers, got datetime64"),
        (np.zeros(2, "f4, f4"), "must hold real numbers, got "),
        ([[1, 2], [3]], "X is not an array .*inhomogeneous"),
        ([[1, 2], [3, np.nan]], "X row 2, column 'x2': nan is not a finite number"),
        ([[1, 2], [-np.inf, 3]], "X row 2, column 'x1': -inf is not"),
        ([[1, 2], [3, None]], "X row 2, column 'x2': nan is not"),
        ([[1, "red\n"], [2, 3]], "X row 1, column 'x2': red is not"),
        ([[1, 2j], [2, 3]], "got complex128"),
        (np.array([[1, 2j]] * 2, object), "column 'x2': 2j is not"),
        (np.array([[1, np.complex64(2)]] * 2, object), "column 'x2': .* is not"),
        (np.array([[1, 10**400]] * 2, object), "column 'x2': 1000.* is not"),
        (np.ma.masked_equal([[1, 2], [3, 4]], 4), "X has masked values"),
        (Hostile(), "X is not an array .not today."),
        (np.zeros((3, 2)), "X has 3 rows and y has 2$"),
        (np.zeros((5, 2)), "X has 5 rows and y has 2; X must be .*give X.T"),
    ],
)
def test_inputs_that_cannot_be_learned_are_refused(X, message):
    y = [0, 1]
    if isinstance(X, np.ndarray) and X.shape == (3, 2):
        X = np.zeros((3, 4))

    with pytest.raises(DataError, match=rf"^problem \(X, y\): .*{message}") as refusal:
        load_arrays(X, y)

    assert "\n" not in str(refusal.value)


def test_images_are_flattened_with_a_note():
    images = np.arange(12 * 4 * 3).reshape(12, 4, 3)

    data = load_arrays(images, LABELS, test_fraction=0)

    assert sorted(data.train_x.tolist()) == images.reshape(12, 12).tolist()
    assert data.notes == ("X: 4 x 3 values flattened to 12 features",)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float16, object, "U8"])
def test_inputs_of_any_real_type_become_contiguous_float64(dtype):
    inputs = np.asfortranarray(np.arange(24).reshape(12, 2) // 3 % 2)

    data = load_arrays(
        inputs.astype(int).astype(str if dtype == "U8" else dtype), LABELS
    )

    assert data.train_x.dtype == np.float64
    assert data.train_x.flags.c_contiguous


def test_data_frames_name_their_columns():
    frame = pd.DataFrame({"width": X[:, 0], "flag": LABELS == 0})
    kinds = pd.Series(["cat", "dog"] * 6, dtype="category")

    data = load_arrays(frame, kinds)

    assert data.feature_names == ("width", "flag")
    assert data.classes == ("cat", "dog")


def test_a_missing_value_of_a_data_frame_is_named():
    frame = pd.DataFrame({"a": [1, 2], "b": pd.array([1, None], dtype="Int64")})

    with pytest.raises(DataError, match="row 2, column 'b'"):
        load_arrays(frame, [0, 1])


def test_rows_stay_with_their_targets():
    y = np.arange(12) % 3

    data = load_arrays(X, y)

    order = {tuple(row): label for row, label in zip(X, y, strict=True)}
    assert [order[tuple(row)] for row in data.train_x] == data.train_y.tolist()
    assert [order[tuple(row)] for row in data.test_x] == data.test_y.tolist()
    assert len({*map(tuple, data.train_x), *map(tuple, data.test_x)}) == 12


def test_the_arrays_handed_in_are_not_changed():
    before = X.copy()

    load_arrays(X, LABELS, standardize=True)

    assert X.tobytes() == before.tobytes()


def test_a_class_with_one_example_makes_the_split_plain_and_says_so():
    data = load_arrays(X, [0] * 11 + [1])

    assert any("not stratified" in note for note in data.notes)


def test_a_class_without_training_examples_is_noted():
    data = load_arrays(X, LABELS, examples=1)

    assert len(data.train_x) == 1
    assert any("no training example of class" in note for note in data.notes)


def test_a_test_fraction_that_leaves_nothing_to_train_is_refused():
    with pytest.raises(DataError, match=r"test_fraction 0\.99 of 12 examples leaves"):
        load_arrays(X, LABELS, test_fraction=0.99)


def test_noise_on_arrays_is_refused():
    problem = Problem.of_arrays(X, LABELS, noise=0.1)

    with pytest.raises(DataError, match="noise is for generated and bundled data"):
        load(problem)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_features_beyond_float64_are_not_standardized(size):
    with pytest.raises(DataError, match="feature 'x1' cannot be standardized"):
        load_arrays(X * size, LABELS, standardize=True)


def test_a_feature_that_is_constant_in_training_only_is_shifted_everywhere():
    inputs = np.column_stack([np.full(12, 0.1), X[:, 1]])

    data = load_arrays(inputs, LABELS, standardize=True)

    assert (data.train_x[:, 0] == 0).all()
    assert (data.test_x[:, 0] == 0).all()
    assert data.notes == ("constant in training, centred but not scaled: 'x1'",)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.ones((12, 2)), LABELS, "no feature differs"),
        (np.arange(24.0).reshape(12, 2) * 1e100, LABELS, "must lie within 1e.100"),
        (np.arange(24.0).reshape(12, 2), np.full(12, 3.7), "nothing to learn"),
    ],
)
def test_data_that_nothing_can_be_learned_from_is_refused(inputs, targets, message):
    with pytest.raises(DataError, match=message):
        load_arrays(inputs, targets)


class Tensor:
    """An array of another library: NumPy's only when it is asked."""

    def __init__(self, values):
        self._values = np.asarray(values)
        self.shape, self.dtype = self._values.shape, self._values.dtype

    def __array__(self, dtype=None, copy=None):
        return self._values


def test_arrays_of_other_libraries_are_those_of_numpy():
    given = Problem.of_arrays(Tensor(X), Tensor(LABELS))

    assert given.digest == Problem.of_arrays(X, LABELS).digest
    assert load(given).train_x.tobytes() == load_arrays(X, LABELS).train_x.tobytes()


def test_tensors_of_pytorch_are_data():
    import torch  # as make test installs it

    given = Problem.of((torch.tensor(X), torch.tensor(LABELS)))

    assert load(given).train_x.tobytes() == load_arrays(X, LABELS).train_x.tobytes()
    with pytest.raises(DataError, match=r"^problem \(X, y\): X is not an array \("):
        Problem.of((torch.tensor(X, requires_grad=True), LABELS))
