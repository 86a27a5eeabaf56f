"""The modules that notebooks import, against the numbers that the courses print."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from initlab.lesson.modules import gc_utils, init_utils, public_tests, reg_utils
from initlab.lesson.modules import test_cases as cases
from initlab.lesson.modules import test_utils as checks

EXACT = 1e-13  # of costs; the documents themselves differ by 3e-15
PRINTED = 6e-9  # half of the last digit that NumPy prints


@pytest.fixture(autouse=True)
def no_pictures_left(monkeypatch):
    # The suite draws without a screen; a notebook's backend shows the picture.
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


def start(init, layers_dims=(2, 10, 5, 1)):
    rng = np.random.RandomState(3)
    parameters = {}
    for layer in range(1, len(layers_dims)):
        n, previous = layers_dims[layer], layers_dims[layer - 1]
        scale = {"zeros": 0.0, "random": 10.0, "he": np.sqrt(2 / previous)}[init]
        parameters[f"W{layer}"] = rng.randn(n, previous) * scale
        parameters[f"b{layer}"] = np.zeros((n, 1))
    return parameters


def trained(init, kind, steps):
    X, Y, *test = init_utils.load_dataset(is_plot=False, kind=kind)
    parameters, costs = start(init), []
    for step in range(steps):
        a3, cache = init_utils.forward_propagation(X, parameters)
        if step % 1000 == 0:
            costs.append(init_utils.compute_loss(a3, Y))
        grads = init_utils.backward_propagation(X, Y, cache)
        parameters = init_utils.update_parameters(parameters, grads, 0.01)
    return costs, parameters, (X, Y, *test)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["circles", "moons"])
@pytest.mark.parametrize(("init", "name"), [("zeros", "zeros"), ("he", "he_normal")])
def test_a_whole_training_prints_the_lessons_costs(kind, init, name, lesson, capsys):
    costs, parameters, (X, Y, test_X, test_Y) = trained(init, kind, 15_000)

    np.testing.assert_allclose(costs, lesson[kind][name]["costs"], rtol=EXACT)
    init_utils.predict(X, Y, parameters)
    init_utils.predict(test_X, test_Y, parameters)
    accuracies = [
        float(line.split()[1]) for line in capsys.readouterr().out.split("\n")[:2]
    ]
    assert accuracies == [
        lesson[kind][name]["train_accuracy"],
        lesson[kind][name]["test_accuracy"],
    ]


def test_the_first_cost_of_large_weights_is_printed_as_inf():
    costs, _, _ = trained("random", "circles", 1)

    assert costs == [np.inf]


def test_gradients_are_those_of_finite_differences():
    X, Y, *_ = init_utils.load_dataset(is_plot=False)
    parameters = start("he")
    _, cache = init_utils.forward_propagation(X, parameters)

    grads = init_utils.backward_propagation(X, Y, cache)

    for name in parameters:
        costs = []
        for sign in (1, -1):
            moved = {key: value.copy() for key, value in parameters.items()}
            moved[name][0, 0] += sign * 1e-6
            costs.append(
                init_utils.compute_loss(init_utils.forward_propagation(X, moved)[0], Y)
            )
        slope = (costs[0] - costs[1]) / 2e-6
        assert grads[f"d{name}"][0, 0] == pytest.approx(slope, abs=1e-9)


def test_the_data_touch_the_global_stream_as_the_lesson_does():
    init_utils.load_dataset(is_plot=False)
    after = np.random.get_state()[1]

    from sklearn.datasets import make_circles

    np.random.seed(2)
    make_circles(n_samples=100, noise=0.05)
    assert np.array_equal(after, np.random.get_state()[1])


def test_loading_draws_the_points_unless_told_not_to():
    shapes = [part.shape for part in init_utils.load_dataset()]

    assert shapes == [(2, 300), (1, 300), (2, 100), (1, 100)]
    assert len(plt.gca().collections) == 1


def test_the_boundary_goes_into_the_current_axes():
    X, Y, *_ = init_utils.load_dataset(is_plot=False)
    parameters = start("he")

    init_utils.plot_decision_boundary(
        lambda points: init_utils.predict_dec(parameters, points.T), X, Y
    )

    assert plt.gca().get_xlabel() == "x1"
    assert plt.gca().get_ylabel() == "x2"


def test_cats_that_are_not_there_are_missed_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(FileNotFoundError, match="a file of the course's"):
        init_utils.load_cat_dataset()


def test_cats_that_are_there_are_read(tmp_path, monkeypatch):
    import h5py

    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    for part, count in (("train", 3), ("test", 2)):
        with h5py.File(tmp_path / f"datasets/{part}_catvnoncat.h5", "w") as file:
            file[f"{part}_set_x"] = np.full((count, 2, 2, 3), 255)
            file[f"{part}_set_y"] = np.arange(count) % 2
            file["list_classes"] = [b"other", b"cat"]

    train_X, train_Y, test_X, _, classes = init_utils.load_cat_dataset()

    assert train_X.shape == (12, 3)
    assert train_X.max() == 1.0
    assert train_Y.tolist() == [[0, 1, 0]]
    assert test_X.shape == (12, 2)
    assert classes.tolist() == [b"other", b"cat"]


def test_the_football_fields_stand_in_has_its_shapes_and_says_so(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    before = np.random.get_state()[1].copy()

    shapes = [part.shape for part in reg_utils.load_2D_dataset()]

    assert shapes == [(2, 211), (1, 211), (2, 200), (1, 200)]
    assert "data.mat is not here" in capsys.readouterr().out
    assert np.array_equal(before, np.random.get_state()[1])


def test_the_football_field_is_read_where_it_is(tmp_path, monkeypatch):
    from scipy.io import savemat

    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    content = {"X": np.ones((4, 2)), "y": np.ones((4, 1))}
    savemat(tmp_path / "datasets/data.mat", content | {"Xval": 1.0, "yval": 1.0})

    assert reg_utils.load_2D_dataset(is_plot=False)[0].shape == (2, 4)


def test_the_flower_has_two_classes():
    X, Y = reg_utils.load_planar_dataset(1)

    assert X.shape == (2, 400)
    assert Y.sum() == 200


def test_the_regularized_cost_is_the_courses():
    a3, Y, parameters = cases.compute_cost_with_regularization_test_case()

    cost = reg_utils.compute_cost_with_regularization(a3, Y, parameters, 0.1)

    assert cost == pytest.approx(1.78648594516, abs=1e-11)


def test_the_regularized_gradients_are_the_courses():
    X, Y, cache = cases.backward_propagation_with_regularization_test_case()

    grads = reg_utils.backward_propagation_with_regularization(X, Y, cache, 0.7)

    expected = [
        [-0.25604646, 0.12298827, -0.28297129],
        [-0.17706303, 0.34536094, -0.4410571],
    ]
    np.testing.assert_allclose(grads["dW1"], expected, atol=PRINTED)


def test_dropout_gives_the_courses_outputs():
    X, parameters = cases.forward_propagation_with_dropout_test_case()

    A3, cache = reg_utils.forward_propagation_with_dropout(X, parameters, 0.7)

    expected = [[0.36974721, 0.00305176, 0.04565099, 0.49683389, 0.36974721]]
    np.testing.assert_allclose(A3, expected, atol=PRINTED)
    assert len(cache) == 14


def test_dropout_gives_the_courses_gradients():
    X, Y, cache = cases.backward_propagation_with_dropout_test_case()

    grads = reg_utils.backward_propagation_with_dropout(X, Y, cache, 0.8)

    expected = [
        [0.36544439, 0.0, -0.00188233, 0.0, -0.17408748],
        [0.65515713, 0.0, -0.00337459, 0.0, 0.0],
    ]
    np.testing.assert_allclose(grads["dA1"], expected, atol=PRINTED)


def numbers_4_5_3_1(*, faults):
    """Return the difference of the gradient check, by the functions of gc_utils."""
    X, Y, parameters = cases.gradient_check_n_test_case()
    m = X.shape[1]

    def forward(p):
        A1 = gc_utils.relu(p["W1"] @ X + p["b1"])
        A2 = gc_utils.relu(p["W2"] @ A1 + p["b2"])
        A3 = gc_utils.sigmoid(p["W3"] @ A2 + p["b3"])
        cost = np.sum(-np.log(A3) * Y - np.log(1 - A3) * (1 - Y)) / m
        return cost, (A1, A2, A3)

    _, (A1, A2, A3) = forward(parameters)
    dZ3 = A3 - Y
    dZ2 = parameters["W3"].T @ dZ3 * (A2 > 0)
    dZ1 = parameters["W2"].T @ dZ2 * (A1 > 0)
    grads = {
        "dW3": dZ3 @ A2.T / m,
        "db3": dZ3.sum(axis=1, keepdims=True) / m,
        "dW2": dZ2 @ A1.T / m * (2 if faults else 1),
        "db2": dZ2.sum(axis=1, keepdims=True) / m,
        "dW1": dZ1 @ X.T / m,
        "db1": dZ1.sum(axis=1, keepdims=True) / m * (4 if faults else 1),
    }
    theta, keys = gc_utils.dictionary_to_vector(parameters)
    assert len(keys) == 47
    slopes = np.zeros_like(theta)
    for place in range(len(theta)):
        ends = []
        for sign in (1, -1):
            moved = theta.copy()
            moved[place] += sign * 1e-7
            ends.append(forward(gc_utils.vector_to_dictionary(moved))[0])
        slopes[place] = (ends[0] - ends[1]) / 2e-7
    grad = gc_utils.gradients_to_vector(grads)
    return np.linalg.norm(grad - slopes) / (
        np.linalg.norm(grad) + np.linalg.norm(slopes)
    )


@pytest.mark.parametrize(
    ("faults", "difference"),
    [(True, 0.2850931567761623), (False, 1.1890913024229996e-07)],
)
def test_the_gradient_check_ends_with_the_courses_difference(faults, difference):
    found = numbers_4_5_3_1(faults=faults)

    # Rounding makes up the whole of the mended difference: a tenth of it may move.
    assert found == pytest.approx(difference, rel=1e-8 if faults else 0.1)
    public_tests.gradient_check_n_test(lambda: difference)


def initializer(scale, seed=3, bias=0.0):
    def initialize(layers_dims):
        np.random.seed(seed)
        parameters = {}
        for layer in range(1, len(layers_dims)):
            n, previous = layers_dims[layer], layers_dims[layer - 1]
            weight = np.random.randn(n, previous) * scale(previous)
            parameters[f"W{layer}"] = weight
            parameters[f"b{layer}"] = np.full((n, 1), bias)
        return parameters

    return initialize


ZEROS, LARGE = initializer(lambda _: 0.0), initializer(lambda _: 10.0)
HE = initializer(lambda n: np.sqrt(2 / n))


@pytest.mark.parametrize(
    ("test", "right"),
    [
        (public_tests.initialize_parameters_zeros_test, ZEROS),
        (public_tests.initialize_parameters_random_test, LARGE),
        (public_tests.initialize_parameters_he_test, HE),
        (
            public_tests.compute_cost_with_regularization_test,
            reg_utils.compute_cost_with_regularization,
        ),
        (
            public_tests.backward_propagation_with_regularization_test,
            reg_utils.backward_propagation_with_regularization,
        ),
        (
            public_tests.forward_propagation_with_dropout_test,
            reg_utils.forward_propagation_with_dropout,
        ),
        (
            public_tests.backward_propagation_with_dropout_test,
            reg_utils.backward_propagation_with_dropout,
        ),
        (public_tests.forward_propagation_test, lambda x, theta: x * theta),
        (public_tests.backward_propagation_test, lambda x, theta: x),  # noqa: ARG005
        (public_tests.gradient_check_test, lambda x, theta: 1e-10),  # noqa: ARG005
    ],
)
def test_public_tests_let_the_right_function_pass(test, right, capsys):
    test(right)

    assert "All tests passed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("test", "wrong"),
    [
        (public_tests.initialize_parameters_zeros_test, LARGE),
        (public_tests.initialize_parameters_zeros_test, lambda _: {}),
        (public_tests.initialize_parameters_zeros_test, lambda _: None),
        (public_tests.initialize_parameters_random_test, HE),
        (
            public_tests.initialize_parameters_random_test,
            initializer(lambda _: 10.0, seed=4),
        ),
        (
            public_tests.initialize_parameters_he_test,
            initializer(lambda n: np.sqrt(1 / n)),
        ),
        (
            public_tests.initialize_parameters_he_test,
            initializer(lambda n: np.sqrt(2 / n), bias=0.1),
        ),
        (public_tests.compute_cost_with_regularization_test, lambda *_: 1.7),
        (public_tests.forward_propagation_test, lambda x, theta: x + theta),
        (public_tests.gradient_check_test, lambda *_: np.ones((1, 1))),
        (public_tests.gradient_check_n_test, lambda *_: 0.5),
    ],
)
def test_public_tests_reject_the_wrong_function_in_words(test, wrong):
    with pytest.raises(AssertionError) as failed:
        test(wrong)

    assert str(failed.value)


CASE = {"input": [2], "error": "wrong"}


@pytest.mark.parametrize("run", [checks.single_test, checks.multiple_test])
def test_own_test_modules_find_the_conventions_they_know(run, capsys):
    expected = {"W1": np.eye(2), "names": ("a", 1.5)}
    kinds = ("datatype_check", "shape_check", "equation_output_check")
    test_cases = [CASE | {"name": kind, "expected": expected} for kind in kinds]

    run(test_cases, lambda _: {"W1": np.eye(2), "names": ("a", 1.5)})

    assert "All tests passed." in capsys.readouterr().out
    for wrong in (
        {"W1": np.ones((2, 2)), "names": ("a", 1.5)},
        {"W1": np.eye(3), "names": ("a", 1.5)},
        {"W1": np.eye(2), "names": ("a",)},
        {"W1": np.eye(2), "names": ("b", 1.5)},
        {"W1": np.eye(2)},
        None,
    ):
        with pytest.raises(AssertionError, match="wrong"):
            run(test_cases, lambda _, wrong=wrong: wrong)


def test_an_unknown_check_is_no_passed_one():
    with pytest.raises(ValueError, match="must be one of"):
        checks.single_test([CASE | {"name": "vibes", "expected": 2}], lambda x: x)


def test_one_of_several_expected_outputs_is_enough():
    case = CASE | {"name": "multiple_equation_output_check", "expected": [1, 2]}

    checks.single_test([case], lambda x: x)


def test_models_of_keras_are_no_part_of_the_lesson():
    with pytest.raises(NotImplementedError):
        checks.summary(None)
