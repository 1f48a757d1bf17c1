"""Rows held out by scale: nothing is tested that was trained on, and runs stay whole."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.errors import FitError, TableError
from emergekit.fitting.comparison.holdout import (
    blocked_folds,
    flagged,
    leave_largest_out,
    rolling_origin,
)

tables = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)), min_size=8, max_size=40).map(
    lambda rows: pd.DataFrame(rows, columns=["flops", "run"]).astype({"flops": float})
)


def enough(table, n, run):
    scale = table.groupby("run")["flops"].transform("max") if run else table["flops"]
    return scale.nunique() >= n


@pytest.mark.parametrize("run", [None, "run"])
@pytest.mark.parametrize("split", [leave_largest_out, rolling_origin, blocked_folds])
@settings(max_examples=10)
@given(table=tables)
def test_train_and_test_share_no_row_no_scale_and_no_run(split, run, table):
    if not enough(table, 6, run):
        return
    for train, test in split(run=run)(table):
        assert len(train)
        assert len(test)
        assert not set(train.index) & set(test.index)
        if run:
            assert not set(train["run"]) & set(test["run"])
        elif split is not blocked_folds:
            assert train["flops"].max() < test["flops"].min()
        else:
            assert not set(train["flops"]) & set(test["flops"])


@settings(max_examples=10)
@given(table=tables, share=st.floats(0.05, 0.95))
def test_the_share_held_out_is_as_near_as_whole_scales_allow(table, share):
    if not enough(table, 2, None):
        return
    [(train, test)] = leave_largest_out(share)(table)
    assert len(train) + len(test) == len(table)
    cuts = [(table["flops"] >= at).sum() for at in sorted(set(table["flops"]))[1:]]
    nearest = min(abs(cut - share * len(table)) for cut in cuts)
    assert abs(len(test) - share * len(table)) == pytest.approx(nearest)


def test_the_fifth_with_most_compute_of_the_chinchilla_runs(chinchilla_runs):
    # spec/scaling.md, section 5: the 80 % with C < 5.63e20
    [(train, test)] = leave_largest_out(0.2)(chinchilla_runs)
    assert (len(train), len(test)) == (192, 48)
    assert train["flops"].max() < 5.62e20 < test["flops"].min()


def test_a_rolling_origin_trains_on_ever_more_and_tests_what_comes_next():
    table = pd.DataFrame({"x": np.arange(1.0, 13)}).sample(frac=1, random_state=0)
    pairs = rolling_origin(3, first=0.5, by="x")(table)
    assert [sorted(train["x"])[-1] for train, _ in pairs] == [6, 8, 10]
    assert [sorted(test["x"]) for _, test in pairs] == [[7, 8], [9, 10], [11, 12]]


def test_blocked_folds_test_every_row_once():
    table = pd.DataFrame({"flops": np.arange(1.0, 11)})
    pairs = blocked_folds(5)(table)
    tested = pd.concat([test for _, test in pairs])
    assert sorted(tested.index) == list(table.index)
    assert [len(train) for train, _ in pairs] == [8] * 5


def test_checkpoints_of_a_large_run_go_with_its_last_one():
    table = pd.DataFrame({"flops": [1.0, 2.0, 1.0, 9.0, 1.5, 3.0], "run": list("aabbcc")})
    [(train, test)] = leave_largest_out(0.3, run="run")(table)
    assert set(test["run"]) == {"b"}
    assert set(train["run"]) == {"a", "c"}


def test_flags_of_a_benchmark_say_what_is_held_out():
    table = pd.DataFrame({"is_fit": [True, True, False], "x": [1, 2, 3]})
    [(train, test)] = flagged()(table)
    assert (train["x"].tolist(), test["x"].tolist()) == ([1, 2], [3])
    [(as_number, _)] = flagged()(table.astype({"is_fit": int}))
    assert as_number["x"].tolist() == [1, 2]


TABLE = pd.DataFrame({"flops": [1.0, 2.0, 3.0], "run": ["a", "b", None]})


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (leave_largest_out(by="compute"), "needs column 'compute'"),
        (leave_largest_out(run="run"), "'run' is not known at row 2"),
        (rolling_origin(4), "4 folds need at least 5 different scales, but the rows have 3"),
        (flagged("flops"), "'flops' must be True or False, but row 1 holds 2.0"),
    ],
)
def test_tables_that_cannot_be_split_say_why(split, message):
    with pytest.raises(TableError, match=message):
        split(TABLE)


def test_rows_without_a_scale_and_tables_of_one_side_are_named():
    with pytest.raises(TableError, match="'flops' is not known at row 1"):
        leave_largest_out()(TABLE.assign(flops=[1.0, np.nan, 2.0]))
    with pytest.raises(TableError, match="'is_fit' is True in all 3 rows"):
        flagged()(TABLE.assign(is_fit=True))
    with pytest.raises(TableError, match="at least 2 different scales, but the rows have 0"):
        leave_largest_out()(TABLE.head(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: leave_largest_out(1.0), "share must be a share of the rows .* it is 1.0"),
        (lambda: leave_largest_out(True), "share must be .* it is True"),
        (lambda: rolling_origin(first=0), "first must be"),
        (lambda: rolling_origin(0), "n_folds must be a whole number, 1 or more; it is 0"),
        (lambda: blocked_folds(1), "n_folds must be a whole number, 2 or more; it is 1"),
        (lambda: blocked_folds("5"), "it is '5'"),
    ],
)
def test_splits_that_cannot_be_meant_are_refused(make, message):
    with pytest.raises(FitError, match=message):
        make()
