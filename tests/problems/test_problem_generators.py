"""Generated and bundled problems, and what every problem has in common."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets

from initlab.errors import DataError, InitlabError, UnknownNameError
from initlab.problems import load
from initlab.spec import PROBLEM_NAMES, Problem

GENERATED = ("circles", "moons", "spirals", "xor", "blobs")
BUNDLED = ("digits", "breast_cancer", "wine", "diabetes")

every_problem = pytest.mark.parametrize("name", PROBLEM_NAMES)
every_generated = pytest.mark.parametrize("name", GENERATED)


def legacy(seed, count, make):
    """What the lesson's notebook draws, without leaving a trace."""
    before = np.random.get_state()
    np.random.seed(seed)
    drawn = make(n_samples=count, noise=0.05)
    np.random.set_state(before)
    return drawn


def assert_same_bytes(first, second):
    assert first.train_x.tobytes() == second.train_x.tobytes()
    assert first.test_x.tobytes() == second.test_x.tobytes()
    assert first.train_y.tobytes() == second.train_y.tobytes()
    assert first.test_y.tobytes() == second.test_y.tobytes()


@pytest.mark.parametrize(
    ("name", "make"),
    [("circles", datasets.make_circles), ("moons", datasets.make_moons)],
)
def test_the_default_is_the_classic_lesson_to_the_byte(name, make):
    train_x, train_y = legacy(1, 300, make)
    test_x, test_y = legacy(2, 100, make)

    data = load(Problem(name=name))

    assert data.train_x.tobytes() == np.ascontiguousarray(train_x).tobytes()
    assert data.test_x.tobytes() == np.ascontiguousarray(test_x).tobytes()
    assert data.train_y.tolist() == train_y.tolist()
    assert data.test_y.tolist() == test_y.tolist()


@every_problem
def test_every_problem_is_contiguous_finite_and_consistent(name):
    data = load(Problem(name=name))

    for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y)):
        assert x.dtype == np.float64
        assert x.flags.c_contiguous
        assert np.isfinite(x).all()
        assert len(x) == len(y)
    assert len(data.feature_names) == data.features
    assert data.is_classification == (name != "diabetes")
    if data.is_classification:
        assert data.train_y.dtype == np.int64
        assert set(data.train_y) == set(range(len(data.classes)))
    else:
        assert data.train_y.dtype == np.float64
        assert data.train_y.shape[1] == data.outputs == 1


@every_problem
def test_equal_problems_give_equal_bytes_and_other_seeds_others(name):
    problem = Problem(name=name, seed=5)

    first, second = load(problem), load(problem)
    other = load(Problem(name=name, seed=6))

    assert_same_bytes(first, second)
    assert first.train_x.tobytes() != other.train_x.tobytes()


@every_problem
def test_the_global_stream_is_not_touched(name):
    np.random.seed(7)
    before = np.random.get_state()

    load(Problem(name=name, noise=0.1, standardize=True))

    after = np.random.get_state()
    assert before[1].tolist() == after[1].tolist()
    assert before[2:] == after[2:]


@every_generated
def test_the_test_set_is_the_training_set_of_the_next_seed(name):
    data = load(Problem(name=name, examples=60, test_fraction=0.5, seed=3))
    following = load(Problem(name=name, examples=60, seed=4))

    assert data.test_x.tobytes() == following.train_x.tobytes()


@every_generated
@pytest.mark.parametrize("examples", [3, 4, 7, 61])
def test_odd_and_small_numbers_of_examples_work(name, examples):
    data = load(Problem(name=name, examples=examples))

    assert data.train_x.shape == (examples, 2)
    assert len(data.test_x) == round(examples / 3)
    counts = np.bincount(data.train_y, minlength=len(data.classes))
    assert counts.max() - counts.min() <= 1


@every_generated
def test_one_example_is_refused_because_every_class_is_needed(name):
    with pytest.raises(DataError, match=f"'{name}': examples must be at least"):
        load(Problem(name=name, examples=1))


@every_generated
def test_without_a_test_fraction_there_are_no_test_examples(name):
    data = load(Problem(name=name, test_fraction=0))

    assert data.test_x.shape == (0, 2)
    assert data.test_y.shape == (0,)


@every_generated
def test_noise_jitters_the_points(name):
    clean, noisy = (load(Problem(name=name, noise=noise)) for noise in (0, 0.3))

    assert clean.train_x.tobytes() != noisy.train_x.tobytes()


@pytest.mark.parametrize(
    ("name", "classify"),
    [
        ("xor", lambda x: (x[:, 0] * x[:, 1] < 0).astype(int)),
        ("circles", lambda x: (np.hypot(*x.T) < 0.9).astype(int)),
    ],
)
def test_without_noise_the_labels_follow_the_rule(name, classify):
    data = load(Problem(name=name, noise=0))

    assert (classify(data.train_x) == data.train_y).all()


def test_spirals_have_two_arms_of_one_and_a_half_turns():
    data = load(Problem(name="spirals", noise=0))

    radius = np.hypot(*data.train_x.T)
    angle = np.arctan2(data.train_x[:, 1], data.train_x[:, 0])
    turn = (angle - 3 * np.pi * radius - np.pi * data.train_y) / (2 * np.pi)
    # Radius and angle come back through hypot and arctan2: a few roundings.
    np.testing.assert_allclose(turn, np.rint(turn), atol=1e-12)


def test_blobs_keep_their_centers_whatever_the_seed():
    data = load(Problem(name="blobs", noise=0, seed=9))

    centers = np.unique(data.train_x, axis=0)

    assert centers.tolist() == [[-3, -2], [0, 3], [3, -2]]
    assert data.outputs == 3


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"examples": 10**12}, "at most 10000000 examples"),
        ({"test_fraction": 1 - 1e-12}, "at most 10000000 examples"),
        ({"noise": 1e308}, "noise 1e\\+308 is too large"),
        ({"seed": 2**32}, "seed must be at most 4294967294"),
        ({"target": "y"}, "target names a column of a CSV file"),
    ],
)
def test_impossible_choices_are_refused(choices, message):
    with pytest.raises(DataError, match=f"problem 'circles'.*{message}"):
        load(Problem(name="circles", **choices))


@pytest.mark.parametrize(
    ("name", "examples", "features", "outputs"),
    [
        ("digits", 1797, 64, 10),
        ("breast_cancer", 569, 30, 1),
        ("wine", 178, 13, 3),
        ("diabetes", 442, 10, 1),
    ],
)
def test_bundled_data_are_complete(name, examples, features, outputs):
    data = load(Problem(name=name))

    assert len(data.train_x) + len(data.test_x) == examples
    assert len(data.test_x) == round(examples / 4)
    assert (data.features, data.outputs) == (features, outputs)


def test_the_split_is_stratified():
    data = load(Problem(name="breast_cancer"))

    # One example more or less, of 142, is what rounding allows.
    assert data.train_y.mean() == pytest.approx(data.test_y.mean(), abs=1 / 142)


@pytest.mark.parametrize("name", BUNDLED)
def test_examples_keeps_that_many_for_training(name):
    data = load(Problem(name=name, examples=50))

    assert len(data.train_x) == len(data.train_y) == 50


@pytest.mark.parametrize("name", BUNDLED)
def test_more_examples_than_there_are_is_refused(name):
    with pytest.raises(DataError, match=r"examples must be at most .* got 100000"):
        load(Problem(name=name, examples=100_000))


def test_noise_of_bundled_data_has_the_stated_spread():
    plain, noisy = (load(Problem(name="wine", noise=n)) for n in (None, 2.0))

    added = noisy.train_x - plain.train_x
    # Five standard errors of a normal sample's standard deviation.
    assert added.std() == pytest.approx(2.0, rel=5 / np.sqrt(2 * added.size))


def test_too_much_noise_on_bundled_data_is_refused():
    with pytest.raises(DataError, match="noise 1e\\+308 is too large"):
        load(Problem(name="digits", noise=1e308))


def test_diabetes_with_a_loss_for_classes_is_refused():
    with pytest.raises(DataError, match=r"diabetes.*mean_squared_error"):
        load(Problem(name="diabetes"), loss="binary_cross_entropy")


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="'mean_squared_error'"):
        load(Problem(), loss="mean_square_error")


@pytest.mark.parametrize("name", ["circles", "wine", "diabetes"])
def test_standardize_takes_mean_and_spread_of_the_training_set_only(name):
    plain = load(Problem(name=name))
    mean, std = plain.train_x.mean(axis=0), plain.train_x.std(axis=0)

    data = load(Problem(name=name, standardize=True))

    np.testing.assert_array_equal(data.train_x, (plain.train_x - mean) / std)
    np.testing.assert_array_equal(data.test_x, (plain.test_x - mean) / std)


def test_a_constant_feature_is_centred_and_noted():
    # The first pixel of every digit is blank.
    data = load(Problem(name="digits", standardize=True))

    assert (data.train_x[:, 0] == 0).all()
    assert np.isfinite(data.test_x).all()
    assert any("'pixel_0_0'" in note and "constant" in note for note in data.notes)


def test_heavy_libraries_are_imported_only_when_they_are_needed():
    code = (
        "import sys, initlab.problems as p, initlab.spec as s\n"
        "p.load(s.Problem(name='spirals', test_fraction=0.25))\n"
        "print(sorted({'sklearn', 'pandas', 'h5py', 'scipy'} & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert printed == "[]\n"


def test_arrays_that_a_spec_could_not_hold_are_asked_for_again():
    with pytest.raises(InitlabError, match=r"pass problem=\(X, y\) again"):
        load(Problem(name="arrays"))
