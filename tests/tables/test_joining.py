import numpy as np
import pandas as pd
import pytest

from emergekit.errors import TableError
from emergekit.tables import join_models

MODELS = pd.DataFrame({"model": ["a", "b"], "n_params": [1e9, 7e9], "family": "f"})
RESULTS = pd.DataFrame(
    {"model": ["b", "a", "b"], "task": ["t", "t", "u"], "metric": "acc", "score": [0.1, 0.2, 0.3]},
    index=[5, 7, 9],
)


def test_rows_keep_their_order_and_index():
    joined = join_models(RESULTS, MODELS)
    assert joined.index.tolist() == [5, 7, 9]
    assert joined["n_params"].tolist() == [7e9, 1e9, 7e9]
    assert "n_params" not in RESULTS  # inputs are never changed


def test_checkpoints_are_joined_on_their_step():
    models = pd.DataFrame({"model": "a", "step": [1, 2], "loss": [3.0, 2.0]})
    results = pd.DataFrame(
        {"model": "a", "step": [2, 1], "task": "t", "metric": "acc", "score": 0.5}
    )
    assert join_models(results, models)["loss"].tolist() == [2.0, 3.0]


def test_checkpoints_without_a_step_in_the_results_are_refused():
    models = pd.DataFrame({"model": "a", "step": [1, 2], "loss": [3.0, 2.0]})
    results = pd.DataFrame({"model": ["a"], "task": "t", "metric": "acc", "score": 0.5})
    with pytest.raises(TableError, match=r"'a' is listed more than once.*run, step or seed"):
        join_models(results, models)


def test_a_key_that_one_table_leaves_empty_is_not_joined_on():
    results = RESULTS.assign(seed=np.nan)
    assert join_models(results, MODELS.assign(seed=0))["n_params"].notna().all()


def test_columns_that_both_have_are_filled_not_replaced():
    joined = join_models(RESULTS.assign(family=["mine", None, None]), MODELS)
    assert joined["family"].tolist() == ["mine", "f", "f"]


def test_unknown_models_are_named_with_the_nearest():
    results = RESULTS.assign(model=["model-b", "a", "b"])
    models = MODELS.assign(model=["a", "model_b"])
    with pytest.raises(TableError, match=r"2 models .*: model-b, b \(2 of 3.*mean 'model_b'"):
        join_models(results, models)
    kept = join_models(results, models, missing="keep")
    assert kept["n_params"].isna().tolist() == [True, False, True]


def test_results_without_a_model_column_are_refused():
    with pytest.raises(TableError, match="column 'model' is absent"):
        join_models(RESULTS.drop(columns="model"), MODELS)
