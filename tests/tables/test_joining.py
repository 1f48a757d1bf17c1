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


def test_a_run_that_one_row_leaves_empty_is_found_by_the_model():
    models = MODELS.assign(run=["r0", "r1"])
    joined = join_models(RESULTS.assign(run=["r1", None, None]), models)
    assert joined["n_params"].tolist() == [7e9, 1e9, 7e9]


def test_a_run_that_does_not_match_is_named():
    models = MODELS.assign(run=["r0", "r1"])
    message = r"has model 'b', but not with run r9 \(2 of 3 rows\); it has run r1"
    with pytest.raises(TableError, match=message):
        join_models(RESULTS.assign(run=["r9", "r0", "r9"]), models)


def test_keys_are_compared_as_text():
    results = RESULTS.assign(model=["2", "1", "2"], seed=["0", "0", "0"])
    models = MODELS.assign(model=[1, 2], seed=[0.0, 0.0])
    assert join_models(results, models)["n_params"].tolist() == [7e9, 1e9, 7e9]


def test_columns_of_any_name_and_kind_are_harmless():
    results = RESULTS.assign(_merge=1, family=pd.Categorical(["x", None, None]))
    joined = join_models(results, MODELS.assign(_merge=2))
    assert joined["_merge"].tolist() == [1, 1, 1]
    assert joined["family"].tolist() == ["x", "f", "f"]


def test_the_index_may_repeat():
    assert join_models(RESULTS.set_axis([0, 0, 0]), MODELS)["n_params"].tolist() == [7e9, 1e9, 7e9]


def test_what_to_do_with_the_missing_is_checked():
    with pytest.raises(ValueError, match="Unknown value of missing 'ignore'"):
        join_models(RESULTS, MODELS, missing="ignore")
    with pytest.raises(TableError, match="expected a pandas DataFrame, not list"):
        join_models([1], MODELS)
    with pytest.raises(TableError, match="'run' must be one name or number"):
        join_models(RESULTS.assign(run=[["x"]] * 3), MODELS.assign(run="r"))


def test_rows_of_a_model_at_other_steps_are_not_taken():
    models = pd.DataFrame({"model": ["a", "a", "b"], "step": [1, 2, None], "loss": [3.0, 2.0, 1.0]})
    results = pd.DataFrame({"model": ["a", "b"], "step": [9, 9], "task": "t"})
    with pytest.raises(TableError, match="'a', but not with step 9"):
        join_models(results, models)
    assert join_models(results, models, missing="keep")["loss"].isna().tolist() == [True, False]
