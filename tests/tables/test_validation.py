import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.errors import TableError
from emergekit.tables import MODELS, RESULTS, SAMPLES, Tables, validate
from tests.strategies import result_tables


def results(**columns):
    table = pd.DataFrame(
        {"model": ["a", "b", "c"], "task": "t", "metric": "exact_match", "score": [0.1, 0.2, 0.3]}
    )
    return table.assign(**columns)


def test_a_good_table_comes_back_as_it_is():
    table = results(n_shots=[0, 1, 2], anything="else")
    assert validate(table, RESULTS) is table


@given(result_tables())
def test_every_table_of_results_holds_its_schema(table):
    assert validate(table, RESULTS) is table


def test_every_absent_column_is_listed_at_once_with_its_nearest():
    table = results().rename(columns={"task": "Taks", "score": "Scores"})
    message = (
        r"results: columns 'task', 'score' are absent; the table has model, Taks, metric, Scores; "
        r"rename with columns=\{'Taks': 'task', 'Scores': 'score'\}"
    )
    with pytest.raises(TableError, match=message):
        validate(table, RESULTS)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("score", [0.1, "n/a", "x"], r"'score' must be a number, but row 1 holds 'n/a' \(2 of 3"),
        ("score", [0.1, 0.2, None], r"row 2 holds nan \(1 of 3.*table\['score'\].notna"),
        ("score", [0.1, np.inf, 0.3], "row 1 holds inf"),
        ("score", [True, False, True], "must be a number, but row 0 holds True"),
        ("model", ["a", "", "c"], "'model' must be a name, but row 1 holds ''"),
        ("n_shots", [0, 2.5, 1], "'n_shots' must be a whole number from 0 on, but row 1 holds 2.5"),
        ("n_examples", [10, -1, 5], "'n_examples' must be a whole number.*row 1 holds -1"),
        ("higher_is_better", [True, "yes", False], "'higher_is_better' must be True or False"),
    ],
)
def test_the_first_bad_row_is_named_with_value_count_and_remedy(column, values, message):
    with pytest.raises(TableError, match=message):
        validate(results(**{column: values}), RESULTS)


def test_gaps_in_optional_columns_are_no_fault():
    validate(results(n_shots=[0, np.nan, None], stderr=np.nan), RESULTS)


def test_rows_are_named_by_the_index_of_the_table():
    table = results(score=[0.1, "x", 0.3]).set_index(pd.Index([10, 20, 30]))
    with pytest.raises(TableError, match="row 20 holds 'x'"):
        validate(table, RESULTS)


def test_a_model_listed_twice_is_shown_with_both_sizes():
    models = pd.DataFrame({"model": ["a", "a"], "n_params": [1e9, 7e9]})
    with pytest.raises(
        TableError, match=r"rows 0 and 1 .*model=a.* with n_params 1000000000.0 and 7"
    ):
        validate(models, MODELS)


def test_runs_steps_and_seeds_tell_rows_apart():
    models = pd.DataFrame({"model": "a", "step": [1, 2, 1], "seed": [0, 0, 1], "loss": 2.0})
    validate(models, MODELS)
    with pytest.raises(TableError, match="same key"):
        validate(models.drop(columns="seed"), MODELS)


def test_absent_keys_count_as_equal():
    twins = results(model="a", n_shots=np.nan, score=[0.1, 0.2, 0.2])
    with pytest.raises(TableError, match="rows 0 and 1 have the same key"):
        validate(twins, RESULTS)


@pytest.mark.parametrize("value", [0, -1e9])
def test_sizes_are_positive(value):
    with pytest.raises(TableError, match="'n_params' must be a number above 0"):
        validate(pd.DataFrame({"model": ["a"], "n_params": [value]}), MODELS)


def test_an_empty_table_and_a_repeated_column_are_refused():
    with pytest.raises(TableError, match="no rows"):
        validate(results().iloc[:0], RESULTS)
    twice = pd.concat([results(), results()[["score"]]], axis=1)
    with pytest.raises(TableError, match="column 'score' is there twice"):
        validate(twice, RESULTS)
    with pytest.raises(TableError, match="expected a pandas DataFrame, not list"):
        validate([1, 2], RESULTS)


def test_samples_keep_their_lists():
    samples = pd.DataFrame(
        {
            "model": "a",
            "task": "t",
            "example_id": [1, 2],
            "choice_logprobs": [[-1.0, -2.0], [-0.5, -3.0]],
            "gold": [0, [0, 1]],
        }
    )
    validate(samples, SAMPLES)


@given(st.sampled_from([MODELS, SAMPLES, RESULTS]))
def test_schemas_name_each_column_once_and_keys_first_required(schema):
    assert len(set(schema.names)) == len(schema.names)
    assert set(schema.required) <= set(schema.names)
    assert set(schema.keys) <= set(schema.names)
    assert all(column.meaning for column in schema.columns)


def test_tables_say_what_they_hold():
    said = repr(Tables(results=results()))
    assert "results          3 rows (3 models x 1 task x 1 metric)" in said
    assert "notes            0 rows" in said


@pytest.mark.parametrize(
    ("schema", "column"), [(RESULTS, "stderr"), (MODELS, "n_tokens"), (MODELS, "flops")]
)
def test_what_cannot_be_negative_is_not(schema, column):
    table = results(n_params=1.0)
    validate(table.assign(**{column: 0.0}), schema)
    with pytest.raises(TableError, match=f"'{column}' must be a number from 0 on.*row 0 holds -1"):
        validate(table.assign(**{column: -1.0}), schema)


@pytest.mark.parametrize("column", ["filter", "run", "model", "source"])
def test_lists_where_names_stand_are_refused(column):
    with pytest.raises(
        TableError, match=rf"'{column}' must be one name or number.*row 0 holds \['x"
    ):
        validate(results(**{column: [["x"]] * 3}), RESULTS)


def test_truth_values_are_no_numbers_whatever_their_type():
    for values in ([True, False, True], pd.Series([True, 0.5, 1], dtype=object)):
        with pytest.raises(TableError, match="'score' must be a number, but row 0 holds True"):
            validate(results(score=values), RESULTS)


def test_numbers_of_any_type_are_numbers():
    validate(results(score=pd.array([0.1, 0.2, 0.3], dtype="Float64")), RESULTS)
    validate(results(n_examples=pd.array([1, None, 3], dtype="Int64")), RESULTS)
    validate(results(score=pd.Categorical([0.1, 0.2, 0.3])), RESULTS)


def test_rows_are_called_what_the_caller_calls_them():
    table = results(score=["a row of rows", 0.2, 0.3])
    with pytest.raises(TableError, match="line 0 holds 'a row of rows' \\(1 of 3 rows"):
        validate(table, RESULTS, where="my row data", row="line")
    twins = results(model="a")
    with pytest.raises(TableError, match="my row data: lines 0 and 1"):
        validate(twins, RESULTS, where="my row data", row="line")


def test_what_differs_is_taken_from_the_two_rows_named():
    models = pd.DataFrame({"model": "a", "n_params": 1e9, "n_tokens": [1e9, 2e9, 3e9]})
    message = r"with n_tokens 1000000000.0 and 2000000000.0 .*'run' or 'step'"
    with pytest.raises(TableError, match=message):
        validate(models, MODELS)


def test_one_is_said_in_the_singular():
    one = Tables(models=pd.DataFrame({"model": ["a"], "family": ["f"]}), results=results().head(1))
    assert "models           1 row (1 family)" in repr(one)
    assert "1 row (1 model x 1 task x 1 metric)" in repr(one)
