"""Fits one rival on one table and prints its scores: run by compare.py, in the rivals' own environment.

Run: python rivals.py NAME TRAIN.parquet TEST.parquet TARGET TASK SEED SECONDS

Only AutoGluon is told the seconds; the others take what they take. The frames are typed: numbers are floats with NaN
where missing, categories are of pandas' own dtype. Every rival gets all rows of the training frame, and holds out of
them what it needs. Printed is one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
HELD = 0.2
"""The share of the rows that boosted trees and networks hold out to know when to stop."""


def main(name: str, train_file: str, test_file: str, target: str, task: str, seed: int, limit: float) -> None:
    train, test = pd.read_parquet(train_file), pd.read_parquet(test_file)
    y, truth = train.pop(target).to_numpy(), test.pop(target).to_numpy()
    started = time.perf_counter()
    predict = autogluon(train, y, task, limit) if name == "autogluon" else RIVALS[name](train, y, task, seed)
    seconds = time.perf_counter() - started
    print(json.dumps({"fit": round(seconds, 2), **scores(task, truth, predict(test))}))


def scores(task: str, truth: Any, predicted: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

    if task == "regression":
        return {"rmse": float(root_mean_squared_error(truth, predicted)), "r2": float(r2_score(truth, predicted))}
    labels = np.arange(predicted.shape[1])
    figures = {
        "log_loss": float(log_loss(truth, predicted, labels=labels)),
        "accuracy": float(accuracy_score(truth, predicted.argmax(1))),
    }
    if predicted.shape[1] == 2:
        figures["auc"] = float(roc_auc_score(truth, predicted[:, 1]))
    return figures


Fitted = Callable[[pd.DataFrame], Any]


def _split(x: pd.DataFrame, y: Any, task: str, seed: int) -> Any:
    from sklearn.model_selection import train_test_split

    strata = None if task == "regression" or np.bincount(y).min() < 2 else y
    return train_test_split(x, y, test_size=HELD, random_state=seed, stratify=strata)


def _predicts(model: Any, task: str) -> Fitted:
    return model.predict if task == "regression" else model.predict_proba


def lightgbm(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    import lightgbm as lgb

    fitted, held, y_fitted, y_held = _split(x, y, task, seed)
    kind = lgb.LGBMRegressor if task == "regression" else lgb.LGBMClassifier
    model = kind(n_estimators=2000, learning_rate=0.05, random_state=seed, verbose=-1)
    model.fit(fitted, y_fitted, eval_set=[(held, y_held)], callbacks=[lgb.early_stopping(50, verbose=False)])
    return _predicts(model, task)


def catboost(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    from catboost import CatBoostClassifier, CatBoostRegressor

    categories = [name for name in x if isinstance(x[name].dtype, pd.CategoricalDtype)]

    def texts(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{name: frame[name].astype(object).fillna("missing").astype(str) for name in categories})

    fitted, held, y_fitted, y_held = _split(texts(x), y, task, seed)
    kind = CatBoostRegressor if task == "regression" else CatBoostClassifier
    model = kind(random_seed=seed, cat_features=categories, verbose=False, allow_writing_files=False)
    model.fit(fitted, y_fitted, eval_set=(held, y_held), early_stopping_rounds=50)
    predict = _predicts(model, task)
    return lambda frame: predict(texts(frame))


def histgb(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    # More than 255 levels are more than its bins: their codes are numbers then.
    wide = [name for name in x if isinstance(x[name].dtype, pd.CategoricalDtype) and x[name].cat.categories.size > 254]

    def coded(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{name: frame[name].cat.codes.astype(float) for name in wide})

    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    model = kind(random_state=seed, max_iter=1000, early_stopping=True, learning_rate=0.05)
    predict = _predicts(model.fit(coded(x), y), task)
    return lambda frame: predict(coded(frame))


def sklearn_mlp(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    ready = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", max_categories=100), make_column_selector(dtype_include="category")),
        sparse_threshold=0.0,
    )
    settings: dict[str, Any] = {"hidden_layer_sizes": (256, 256), "early_stopping": True, "random_state": seed}
    if task == "regression":
        model = TransformedTargetRegressor(MLPRegressor(**settings), transformer=StandardScaler())
    else:
        model = MLPClassifier(**settings)
    return _predicts(make_pipeline(ready, model).fit(x, y), task)


def realmlp(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    if task == "regression":
        return _pytabkit(RealMLP_TD_Regressor(random_state=seed, device="cpu"), x, y, task)
    # What its authors advise where the log loss is the measure.
    log_loss = {"use_ls": False, "val_metric_name": "cross_entropy"}
    return _pytabkit(RealMLP_TD_Classifier(random_state=seed, device="cpu", **log_loss), x, y, task)


def tabm(x: pd.DataFrame, y: Any, task: str, seed: int) -> Fitted:
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    if task == "regression":
        return _pytabkit(TabM_D_Regressor(random_state=seed, device="cpu"), x, y, task)
    model = TabM_D_Classifier(random_state=seed, device="cpu", val_metric_name="cross_entropy")
    return _pytabkit(model, x, y, task)


def _pytabkit(model: Any, x: pd.DataFrame, y: Any, task: str) -> Fitted:
    medians = x.median(numeric_only=True)
    flagged = [name for name in medians.index if x[name].isna().any()]

    def filled(frame: pd.DataFrame) -> pd.DataFrame:
        # Its networks take no NaN in numbers: the median, and a category that says so.
        flags = {f"{name} missing": frame[name].isna().astype(str).astype("category") for name in flagged}
        return frame.fillna(medians).assign(**flags)

    predict = _predicts(model.fit(filled(x), y), task)
    return lambda frame: predict(filled(frame))


def autogluon(x: pd.DataFrame, y: Any, task: str, limit: float) -> Fitted:
    import tempfile

    from autogluon.tabular import TabularPredictor

    # Its default, medium quality, is one model of each kind and their weighted sum; "good" and "best" bag and stack.
    kind = "regression" if task == "regression" else "binary" if len(np.unique(y)) == 2 else "multiclass"
    metric = "rmse" if task == "regression" else "log_loss"
    folder = tempfile.mkdtemp()
    predictor = TabularPredictor("the target", kind, metric, path=folder, verbosity=0)
    predictor.fit(x.assign(**{"the target": y}), time_limit=limit, presets="best_quality", dynamic_stacking=False)
    if task == "regression":
        return lambda frame: predictor.predict(frame).to_numpy()
    labels = np.arange(int(y.max()) + 1)
    return lambda frame: predictor.predict_proba(frame).reindex(columns=labels, fill_value=0.0).to_numpy()


RIVALS: dict[str, Callable[[pd.DataFrame, Any, str, int], Fitted]] = {
    "lightgbm": lightgbm,
    "catboost": catboost,
    "histgb": histgb,
    "sklearn-mlp": sklearn_mlp,
    "realmlp-td": realmlp,
    "tabm-d": tabm,
}

if __name__ == "__main__":
    main(*sys.argv[1:6], int(sys.argv[6]), float(sys.argv[7]))
