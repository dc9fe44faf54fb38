"""The keys of features: steps by name or with options, expressions, transformers of scikit-learn."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold, chi2, f_oneway
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from wellfit import config as wc
from wellfit.data.features import ENCODERS, SCALERS, SELECTORS, TEXTS
from wellfit.errors import ConfigError


def features(**given: Any) -> Any:
    config = wc.from_mapping({"features": given})
    assert wc.parse_config(wc.to_yaml(config)).config == config
    return config.features


@pytest.mark.parametrize(
    ("key", "family"), [("scale", SCALERS), ("encode", ENCODERS), ("text", TEXTS), ("select", SELECTORS)]
)
def test_steps_are_names_and_options_where_some_are_set(key: str, family: Any) -> None:
    for name, entry in family.items():
        assert getattr(features(**{key: name}), key) == name
        assert getattr(features(**{key: {"name": name}}), key) == name
        if entry.options:
            option = entry.options[0]
            other = {"k": 3, "threshold": 0.5, "clip": 5.0, "quantiles": 7, "onehot_up_to": 2, "smooth": 3.0, "size": 9}
            other |= {"model": "linear"}
            given = {"name": name, option.name: other[option.name]}
            assert dict(getattr(features(**{key: given}), key)) == {"name": name, **family.choose(given).options}


def test_crosses_are_lists_of_names_or_looked_for() -> None:
    assert features().crosses == features(crosses=[]).crosses == ()
    assert features(crosses=[["month", "day"], ["flight"]]).crosses == (("month", "day"), ("flight",))
    assert features(crosses="auto").crosses == "auto"


def test_an_option_may_be_set_over_a_name() -> None:
    overridden = wc.apply_overrides({"features": {"select": "k_best"}}, ["features.select.k=7"])
    assert wc.from_mapping(overridden).features.select["k"] == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"derive": {"ratio": "income /"}}, "'ratio' of features.derive: There must be a column"),
        ({"derive": {"ratio": 3}}, "'ratio' of features.derive must be an expression"),
        ({"derive": ["a / b"]}, "Try {ratio: income / debt}"),
        ({"derive": {" ": "a"}}, "needs a name"),
        ({"polynomials": {"degree": 1}}, r"'degree' of features.polynomials must be a whole number in [2, 5]"),
        ({"polynomials": {"degre": 2}}, "Did you mean 'degree'"),
        ({"ratios": {"columns": []}}, "'columns' of features.ratios must be"),
        ({"crosses": [["month", "month"]]}, "A cross has each of its columns once. Got ['month', 'month']"),
        ({"crosses": [["a", "b"], ["b", "a"]]}, "has each cross once. Got ['b', 'a']"),
        ({"crosses": "month"}, "must be auto or a list of crosses, each a list of columns' names. Got 'month'"),
        ({"crosses": ["month", "day"]}, "Try [[month, day]]."),
        ({"crosses": [[]]}, "a list of columns' names"),
        ({"crosses": "atuo"}, "Did you mean 'auto'?"),
        ({"ratios": True}, "'ratios' of features must be a mapping"),
        ({"select": "best"}, "There is no such selector"),
        ({"select": {"name": "k_best", "k": 0}}, "'k' of k_best must be"),
        ({"select": {"name": "k_best", "score": "anova"}}, "Did you mean 'f'?"),
        ({"dates": "cycle"}, "Did you mean 'cycles'?"),
        ({"text": "tfidf"}, "There is no such text encoder"),
        ({"columns": {"zip": {"encode": "targets"}}}, "Did you mean 'target'?"),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        features(**given)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("key", "transformer", "setting"),
    [
        ("scale", StandardScaler(), "standard"),
        ("scale", StandardScaler().fit([[1.0], [2.0]]), "standard"),
        ("scale", MinMaxScaler(), "minmax"),
        ("scale", RobustScaler(), {"name": "robust", "clip": None}),
        ("scale", QuantileTransformer(n_quantiles=50), {"name": "quantile", "quantiles": 50, "output": "uniform"}),
        ("encode", OneHotEncoder(handle_unknown="ignore"), "onehot"),
        ("encode", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), "ordinal"),
        ("encode", TargetEncoder(), "target"),
        ("encode", TargetEncoder(smooth=3.0, cv=4), {"name": "target", "smooth": 3.0, "folds": 4, "seed": 0}),
        ("select", SelectKBest(), "k_best"),
        ("select", SelectKBest(chi2, k=3), {"name": "k_best", "k": 3, "score": "chi2", "seed": 0}),
        ("select", VarianceThreshold(0.1), {"name": "variance", "threshold": 0.1}),
        ("select", SelectFromModel(ExtraTreesClassifier(random_state=0)), "model_based"),
    ],
)
def test_transformers_are_translated(key: str, transformer: Any, setting: Any) -> None:
    assert getattr(features(**{key: transformer}), key) == setting


def test_transformers_of_other_places_are_translated() -> None:
    made = features(
        polynomials=PolynomialFeatures(3, interaction_only=True), columns={"a": {"encode": OneHotEncoder()}}
    )
    assert (made.polynomials.degree, made.polynomials.interactions_only) == (3, True)
    assert made.columns["a"].encode == "onehot"
    filled = wc.from_mapping({"clean": {"missing": SimpleImputer(strategy="constant", fill_value=7)}}).clean.missing
    assert (filled.name, filled.value, filled.indicator) == ("constant", 7, False)


@pytest.mark.parametrize(
    "given", [[StandardScaler(), SelectKBest(k=3)], make_pipeline(StandardScaler(), SelectKBest(k=3))]
)
def test_a_list_or_a_pipeline_stands_for_all_its_steps(given: Any) -> None:
    made = wc.from_mapping(wc.from_keywords(features=given)).features
    assert (made.scale, made.select["k"]) == ("standard", 3)


class Own(StandardScaler):  # type: ignore[misc]
    """A scaler of a person's own, of which nothing is known."""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scale": PCA()}, "Got 'PCA'. Those that work: StandardScaler, MinMaxScaler"),
        ({"scale": Own()}, "Got 'Own'. Those that work"),
        ([PCA()], "Those that work"),
        ([StandardScaler(), MinMaxScaler()], "one transformer for features.scale"),
        ([SimpleImputer()], "clean={'missing': SimpleImputer(...)}"),
        ({"scale": OneHotEncoder()}, "OneHotEncoder is an encoder, and stands under features.encode"),
        ({"scale": StandardScaler(with_std=False)}, "'with_std' of StandardScaler has no such value"),
        ({"scale": RobustScaler(quantile_range=(10, 90))}, "'quantile_range' of RobustScaler"),
        ({"encode": OneHotEncoder(drop="first")}, "'drop' of OneHotEncoder"),
        ({"encode": TargetEncoder(cv=KFold(3))}, "Give the number of folds"),
        ({"select": SelectKBest(f_oneway)}, "'score_func' of SelectKBest"),
        ({"select": SelectFromModel(GradientBoostingClassifier())}, "'estimator' of SelectFromModel"),
        ({"select": SelectFromModel(ExtraTreesClassifier(max_depth=2))}, "'max_depth' of ExtraTreesClassifier"),
        ({"select": SelectFromModel(ExtraTreesClassifier(), threshold="1.2*mean")}, "'threshold' of SelectFromModel"),
    ],
)
def test_any_other_transformer_is_refused_before_training(given: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        wc.from_mapping({"features": given})
    assert said in str(caught.value)


def test_an_imputer_that_learns_otherwise_is_refused() -> None:
    with pytest.raises(ConfigError, match="Got 'KNNImputer'"):
        wc.from_mapping({"clean": {"missing": KNNImputer()}})
