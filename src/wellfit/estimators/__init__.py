"""scikit-learn's API: `WellfitClassifier` and `WellfitRegressor`, trained in memory, with no run folder."""

from wellfit.estimators.classifier import WellfitClassifier
from wellfit.estimators.regressor import WellfitRegressor

__all__ = ["WellfitClassifier", "WellfitRegressor"]
