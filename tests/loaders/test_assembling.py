import math
from pathlib import Path

import pytest

from emergekit.errors import LoadError
from emergekit.loaders.assembling import assembled

PATH = Path("r/results.json")
ROW = {"model": "a", "task": "t", "metric": "acc", "score": 0.5}


def test_rows_become_tables_in_the_order_of_the_schema():
    rows = [ROW | {"extra": [1], "stderr": None}, ROW | {"task": "u", "n_shots": 5, "stderr": None}]
    tables = assembled(PATH, models=[{"model": "a", "n_params": 7}, {"model": "a"}], results=rows)
    assert list(tables.results) == [
        "model",
        "task",
        "metric",
        "n_shots",
        "score",
        "source",
        "extra",
    ]
    assert tables.results["source"].tolist() == ["results.json"] * 2
    assert tables.models.to_dict("records") == [{"model": "a", "n_params": 7.0}]


def test_scores_that_are_absent_are_noted():
    rows = [ROW, ROW | {"task": "u", "score": math.nan}]
    tables = assembled(PATH, results=rows)
    assert tables.results["task"].tolist() == ["t"]
    assert tables.notes["message"].tolist() == ["1 without a score left out, such as u acc"]
    with pytest.raises(LoadError, match="no score in it is a number"):
        assembled(PATH, results=rows[1:])
    with pytest.raises(LoadError, match="there are no scores in it"):
        assembled(PATH)


def test_rows_that_break_their_schema_are_named():
    with pytest.raises(LoadError, match=r"results\.json: 'stderr' must be a number from 0 on"):
        assembled(PATH, results=[ROW | {"stderr": -1}])
    with pytest.raises(LoadError, match="rows 1 and 2 have the same key"):
        assembled(PATH, results=[ROW, ROW])
    with pytest.raises(LoadError, match="'n_params' must be a number above 0"):
        assembled(PATH, models=[{"model": "a", "n_params": "x"}, {"model": "a"}])
    with pytest.raises(LoadError, match="model 'a' has n_params 1 in row 1 of its models and 2"):
        assembled(PATH, models=[{"model": "a", "n_params": 1}, {"model": "a", "n_params": 2}])
    sample = {"model": "a", "task": "t", "example_id": None}
    with pytest.raises(LoadError, match="'example_id' must be given, but line 7 holds"):
        assembled(PATH, samples=[sample], lines=[7])
