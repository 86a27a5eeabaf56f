"""A classifier of many members from one init."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from initlab.analysis.statistics import SPREAD
from initlab.errors import InvalidValueError
from initlab.study.estimators._ensemble import MembersMixin


class InitMLPClassifier(ClassifierMixin, MembersMixin):  # type: ignore[misc]
    """Fully connected networks that start alike and answer together.

    Every member has its own starting weights from `init`; they see the same examples
    in the same order. Probabilities are the mean over members; how far the members
    disagree is what the starting weights alone decide.

    Args:
        init: Where members start: a name or `name(parameter=value)` (`initlab list`),
            an `initlab.inits` value, or a function `(shape, rng)`.
        members: Networks.
        hidden_layer_sizes: Units of the hidden layers.
        activation: Of the hidden layers, one of `initlab.spec.ACTIVATION_NAMES`.
        batch_norm: Normalize the hidden layers.
        optimizer: `"gradient_descent"`, `"momentum"` or `"adam"`.
        learning_rate: Step size.
        batch_size: Examples per step; None: all of them.
        steps: Parameter updates.
        precision: `"float64"` or `"float32"`.
        engine: As in `initlab.run`.
        threads: As in `initlab.run`.
        random_state: Seed of all members; the same seed, the same numbers.

    Attributes:
        classes_: Labels, sorted.
        loss_curves_: Training loss `(member, record)`; NaN from a divergence on.
        steps_: The records' steps.
        diverged_steps_: By member; -1: none. Such members do not answer.
        engine_: What trained.

    Example:
        >>> from sklearn.datasets import make_moons
        >>> X, y = make_moons(200, noise=0.1, random_state=0)
        >>> classifier = InitMLPClassifier(members=4, random_state=0).fit(X, y)
        >>> classifier.predict_proba(X).shape, classifier.score(X, y) > 0.95
        ((200, 2), True)
        >>> low, high = classifier.predict_proba_spread(X)
        >>> bool((low <= classifier.predict_proba(X)).any())
        True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train all members.

        Args:
            X: `(example, feature)`.
            y: One class per example, of any type.

        Raises:
            InvalidValueError: If a parameter does not fit, or there is one class only.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        classes = len(self.classes_)
        if classes == 1:
            raise InvalidValueError(
                f"a classifier needs at least 2 classes, got 1 class, "
                f"{self.classes_[0]!r}",
                argument="y",
            )
        if classes == 2:
            targets = codes[:, None].astype(np.float64)
            return self._fit_members(X, y, targets, "binary_cross_entropy")
        return self._fit_members(X, y, np.eye(classes)[codes], "softmax_cross_entropy")

    def predict_proba_members(
        self, X: Any
    ) -> Float[np.ndarray, "member example class_"]:
        """Return each member's probabilities; without the members that diverged."""
        logits = self._outputs(X)
        if logits.shape[2] == 1:
            return np.concatenate([expit(-logits), expit(logits)], axis=2)
        return np.asarray(softmax(logits, axis=2))

    def predict_proba(self, X: Any) -> Float[np.ndarray, "example class_"]:
        """Return the probability of each class, the mean over members."""
        return self.predict_proba_members(X).mean(axis=0)

    def predict_proba_spread(self, X: Any) -> Float[np.ndarray, "2 example class_"]:
        """Return between which probabilities 90 % of the members lie."""
        return np.quantile(self.predict_proba_members(X), SPREAD, axis=0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the class with the largest mean probability."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
