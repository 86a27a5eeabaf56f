"""A regressor of many members from one init."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import validate_data

from initlab.analysis.statistics import SPREAD
from initlab.study.estimators._ensemble import MembersMixin


class InitMLPRegressor(RegressorMixin, MembersMixin):  # type: ignore[misc]
    """Fully connected networks that start alike and answer together.

    Every member has its own starting weights from `init`; they see the same examples
    in the same order. Predictions are the mean over members. Standardize features and
    targets: the initializers' laws are about inputs and outputs near 1.

    Args:
        init: Where members start, as in `InitMLPClassifier`; the other parameters and
            the attributes are its, too.

    Example:
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> regressor = InitMLPRegressor(members=4, random_state=0)
        >>> regressor.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.9
        True
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Train all members on the mean squared error.

        Args:
            X: `(example, feature)`.
            y: Numbers, `(example,)` or `(example, output)`.

        Raises:
            InvalidValueError: If a parameter does not fit.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True
        )
        self._one_output = y.ndim == 1
        targets = y.reshape(len(y), -1).astype(np.float64)
        return self._fit_members(X, y, targets, "mean_squared_error")

    def predict_members(self, X: Any) -> Float[np.ndarray, "member *shape"]:
        """Return each member's predictions; without the members that diverged."""
        outputs = self._outputs(X)
        return outputs[..., 0] if self._one_output else outputs

    def predict(self, X: Any) -> Float[np.ndarray, "*shape"]:
        """Return predictions shaped like `y`, the mean over members."""
        return self.predict_members(X).mean(axis=0)

    def predict_spread(self, X: Any) -> Float[np.ndarray, "2 *shape"]:
        """Return between which predictions 90 % of the members lie."""
        return np.quantile(self.predict_members(X), SPREAD, axis=0)
