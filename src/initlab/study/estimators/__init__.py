"""Ensembles as scikit-learn estimators: one init, many members, averaged."""

from initlab.study.estimators._classifier import InitMLPClassifier
from initlab.study.estimators._regressor import InitMLPRegressor

__all__ = ["InitMLPClassifier", "InitMLPRegressor"]
