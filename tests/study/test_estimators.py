"""Our estimators keep scikit-learn's convention, all of it."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import initlab as il

ESTIMATORS = [il.InitMLPClassifier(members=2), il.InitMLPRegressor(members=2)]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def moons():
    return make_moons(120, noise=0.1, random_state=0)


def test_probabilities_are_the_members_mean(moons):
    X, y = moons
    classifier = il.InitMLPClassifier(members=5, random_state=1).fit(X, y)

    members = classifier.predict_proba_members(X)
    low, high = classifier.predict_proba_spread(X)

    assert members.shape == (5, 120, 2)
    assert classifier.predict_proba(X) == pytest.approx(members.mean(axis=0))
    assert members.sum(axis=2) == pytest.approx(1)
    assert (low <= high).all()
    assert (low < high).any()
    assert (low >= members.min(axis=0)).all()


def test_a_pipeline_a_search_and_cross_validation_take_it():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), il.InitMLPClassifier(members=2, steps=200, random_state=0)
    )
    grid = {"initmlpclassifier__init": ["zeros", "he_normal"]}

    found = GridSearchCV(pipeline, grid, cv=3).fit(X, y)

    assert found.best_params_ == {"initmlpclassifier__init": "he_normal"}
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9


@pytest.mark.parametrize(
    ("estimator", "labels"),
    [
        (il.InitMLPClassifier, np.array(["left", "right"])),
        (il.InitMLPClassifier, np.array([7.0, 3.0])),
        (il.InitMLPRegressor, np.array([0.5, 0.25])),
    ],
)
def test_the_study_of_a_fit_is_the_one_that_trained_it(moons, estimator, labels):
    X, y = moons
    fitted = estimator(members=2, steps=20, batch_size=16, random_state=4)
    fitted.fit(X, labels[y])

    results = il.run(fitted.study_, engine=fitted.engine_)

    assert fitted.study_.problem.name == "arrays"
    assert fitted.study_.seeding == "stream"
    assert results.loss.values[0].tobytes() == fitted.loss_curves_.tobytes()


def test_any_label_and_any_init_will_do(moons):
    X, y = moons
    labels = np.array(["left", "right"])[y]

    def small(shape, rng):
        return 0.1 * rng.standard_normal(shape)

    classifier = il.InitMLPClassifier(
        init=small, members=2, hidden_layer_sizes=8, activation="tanh",
        batch_norm=True, precision="float32", random_state=0,
    ).fit(X, labels)  # fmt: skip

    assert set(classifier.predict(X)) == {"left", "right"}
    assert classifier.score(X, labels) > 0.8


def test_a_member_that_diverged_does_not_answer(moons):
    X, y = moons
    regressor = il.InitMLPRegressor(
        optimizer="gradient_descent", learning_rate=1.0,
        members=40, init="normal(std=1)", random_state=0,
    ).fit(X, y)  # fmt: skip

    diverged = regressor.diverged_steps_ >= 0

    assert 0 < diverged.sum() < 40
    assert np.isfinite(regressor.predict(X)).all()
    assert len(regressor.predict_members(X)) == 40 - diverged.sum()


def test_where_all_diverged_the_rate_is_named(moons):
    X, y = moons
    regressor = il.InitMLPRegressor(
        optimizer="gradient_descent", activation="identity", learning_rate=1e6
    ).fit(X, y)

    with pytest.raises(ValueError, match="learning_rate: each of the 10 members div"):
        regressor.predict(X)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"init": "he_norml"}, "Did you mean 'he_normal'"),
        ({"threads": "2"}, "threads: must be a whole number, got '2'"),
        ({"hidden_layer_sizes": (10, 0)}, r"hidden_layer_sizes: .* got \(10, 0\)"),
        ({"batch_size": 1000}, "batch_size: at most the 120 training examples"),
        ({"engine": "fast"}, "engine: one of auto, .* got 'fast'"),
        ({"learning_rate": -1}, "learning_rate: .*greater than 0"),
        ({"members": 0}, "members: "),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(moons, parameter, message):
    with pytest.raises(Exception, match=message):
        il.InitMLPClassifier(**parameter).fit(*moons)
