"""A law fitted to every group of a table in one batched solve."""

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, fit_groups, laws
from emergekit.errors import FitError, TableError
from emergekit.fitting.holding import holding

FLOPS = 10.0 ** np.linspace(19, 25, 12)
LOGISTIC = laws.logistic()
TRUTH = {"low": 0.2, "high": 0.8, "x0": 22.0, "k": 2.5}


def curves(n_tasks, noise=0.01, seed=0, sizes=(12,), law=LOGISTIC, **changed):
    rng = np.random.default_rng(seed)
    parts = []
    for task in range(n_tasks):
        flops = FLOPS[: sizes[task % len(sizes)]]
        score = law.predict({"flops": flops}, {**TRUTH, **changed, "x0": 21 + task % 3})
        score = score + noise * rng.standard_normal(len(flops))
        parts.append(pd.DataFrame({"task": f"t{task}", "flops": flops, "score": score}))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize(
    ("law", "options"),
    [
        (LOGISTIC, {}),
        (LOGISTIC, {"objective": "huber", "delta": 0.01}),
        (LOGISTIC, {"objective": "lad"}),
        (LOGISTIC, {"fixed": {"low": 0.2}, "bounds": {"high": (0.0, 0.79)}}),
        (laws.hinge("flops"), {}),
        (laws.chance_logistic(chance=0.1), {"objective": "binomial"}),
    ],
    ids=lambda value: getattr(value, "name", None) or ",".join(value) or "-",
)
def test_every_group_has_the_numbers_of_its_own_fit(law, options):
    shape = law if law.names == ("c", "b", "eta") else LOGISTIC
    table = curves(4, sizes=(12, 11), law=shape, c=0.2, b=0.2, eta=21.4)
    table = table.sample(frac=1, random_state=0)
    table["score"] = table["score"].clip(0, 1)
    together = fit_groups(law, table, "task", **options)
    for task, rows in table.groupby("task"):
        alone = fit(law, rows, **options)
        mine = together[together["task"] == task].set_index("term")
        theirs = alone.to_frame().set_index("term")
        for name in ("estimate", "stderr", "lower", "upper"):
            assert mine[name].to_numpy() == pytest.approx(
                theirs[name].to_numpy(), rel=1e-5, nan_ok=True
            ), (task, name)
        for name in ("n_rows", "rmse", "aic", "bic", "dispersion", "converged"):
            expected = alone.stats[name].iloc[0]
            assert mine[name].iloc[0] == pytest.approx(expected, rel=1e-6, nan_ok=True), name


def test_groups_come_in_the_order_of_the_table_and_keep_their_keys():
    table = curves(3).iloc[::-1].assign(family=["b", None, "a"] * 12)
    fitted = fit_groups(laws.power_law(response="score"), table, ["task", "family"])
    firsts = table[["task", "family"]].drop_duplicates().reset_index(drop=True)
    found = fitted[["task", "family"]].drop_duplicates().reset_index(drop=True)
    pd.testing.assert_frame_equal(found, firsts)
    assert fitted["term"].tolist() == ["b", "c"] * 9


def test_a_level_can_come_from_a_column():
    table = curves(3).assign(chance=lambda t: t["task"].map({"t0": 0.2, "t1": 0.21, "t2": 0.19}))
    fitted = fit_groups(LOGISTIC, table, "task", fixed={"low": "chance"})
    low = fitted[fitted["term"] == "low"]
    assert low["estimate"].tolist() == [0.2, 0.21, 0.19]
    assert low["stderr"].isna().all()
    for task, rows in table.groupby("task"):
        alone = fit(LOGISTIC, rows, fixed={"low": rows["chance"].iloc[0]})
        mine = fitted[fitted["task"] == task].set_index("term")["estimate"]
        assert mine["x0"] == pytest.approx(alone.params["x0"], rel=1e-6)


def test_a_group_that_cannot_be_fitted_is_a_row_with_a_reason():
    table = curves(6)
    table.loc[table["task"] == "t0", "score"] = 0.25
    table = table.drop(table.index[(table["task"] == "t1")][3:])
    table.loc[27, "score"] = np.nan
    table["flops"] = table["flops"].astype(object)
    table.loc[40, "flops"] = "1e20 FLOPs"
    table.loc[50, "flops"] = 0.0
    fitted = fit_groups(LOGISTIC, table, "task").drop_duplicates("task").set_index("task")
    assert fitted["reason"].to_dict() == {
        "t0": "the response is 0.25 in every row",
        "t1": "3 rows for 4 free parameters",
        "t2": "'score' must be a finite number, but row 27 holds nan",
        "t3": "'flops' must be a finite number, but row 40 holds '1e20 FLOPs'",
        "t4": "the law has no value, or no slope, at row 50",
        "t5": pytest.approx(np.nan, nan_ok=True),
    }
    assert fitted.loc["t0":"t4", ["estimate", "stderr", "rmse"]].isna().all(axis=None)
    assert fitted["converged"].tolist() == [False] * 5 + [True]


def test_weights_that_cannot_be_used_cost_their_own_group_only():
    table = curves(4).assign(n=100.0, se=0.01)
    table.loc[table["task"] == "t0", "n"] = 0.0
    table.loc[14, "n"] = np.nan
    table.loc[26, "se"] = 0.0
    by_weight = fit_groups(LOGISTIC, table, "task", weights="n")
    reasons = by_weight.drop_duplicates("task").set_index("task")["reason"]
    assert reasons["t0"] == "every weight is 0"
    assert reasons["t1"] == "'weights' must be 0 or more, but row 14 does not"
    assert reasons[["t2", "t3"]].isna().all()
    by_error = fit_groups(LOGISTIC, table, "task", stderr="se").set_index("task")["reason"]
    assert by_error["t2"].iloc[0] == "'se' must be a positive standard error, but row 26 holds 0.0"
    assert by_error["t3"].isna().all()


def test_values_from_a_column_lie_within_the_bounds_of_their_parameter():
    table = curves(2).assign(steep=[-1.0] * 12 + [2.5] * 12, chance=[25.0] * 12 + [0.2] * 12)
    reasons = fit_groups(LOGISTIC, table, "task", fixed={"k": "steep"})["reason"]
    assert reasons[0] == "'steep' must be within the bounds of k, 0 to 10000, but row 0 holds -1.0"
    assert pd.isna(reasons[4])
    percent = fit_groups(
        LOGISTIC,
        table.assign(score=table["score"].clip(0, 1)),
        "task",
        objective="binomial",
        fixed={"low": "chance"},
    )["reason"]
    assert percent[0] == "'chance' must be within the bounds of low, 0 to 1, but row 0 holds 25.0"
    assert pd.isna(percent[4])


def test_rows_of_weight_0_are_not_there_and_weights_matter():
    table = curves(2).assign(weight=1.0)
    table.loc[[3, 15], "weight"] = 0.0
    table.loc[3, "score"] = np.nan
    table.loc[[4, 5], "weight"] = 9.0
    fitted = fit_groups(LOGISTIC, table, "task", weights="weight")
    assert fitted["n_rows"].unique().tolist() == [11]
    alone = fit(LOGISTIC, table[table["task"] == "t0"], weights="weight")
    assert fitted["estimate"][:4].to_numpy() == pytest.approx(alone.params.to_numpy(), rel=1e-6)


def test_engines_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr("emergekit.fitting.grouped.groups._AT_ONCE", 24)
    table = curves(5)
    serial = fit_groups(LOGISTIC, table, "task")
    pd.testing.assert_frame_equal(fit_groups(LOGISTIC, table, "task", engine="processes"), serial)


def test_the_truth_lies_in_the_intervals_as_often_as_they_claim():
    table = curves(300, noise=0.02, seed=3)
    fitted = fit_groups(LOGISTIC, table, "task", level=0.9)
    place = fitted["task"].str[1:].astype(int)
    truth = fitted["term"].map(TRUTH) + np.where(fitted["term"] == "x0", place % 3 - 1, 0)
    inside = fitted["lower"].le(truth) & fitted["upper"].ge(truth)
    share = inside.groupby(fitted["term"]).mean()
    assert share.between(0.86, 0.975).all(), share  # HC3 is wide with 12 rows for 4 parameters


def test_frames_of_several_laws_stack():
    table = curves(2)
    both = pd.concat([fit_groups(law, table, "task") for law in (LOGISTIC, laws.hinge("flops"))])
    assert both.groupby("law")["term"].nunique().tolist() == [3, 4]


def test_no_rows_are_no_groups():
    assert fit_groups(LOGISTIC, curves(2).iloc[:0], "task").empty


def test_columns_and_arguments_are_checked_before_any_fit():
    table = curves(1)
    with pytest.raises(
        TableError, match=r"needs column 'tsk', 'chance'; .*'task' looks like 'tsk'"
    ):
        fit_groups(LOGISTIC, table, "tsk", fixed={"low": "chance"})
    with pytest.raises(FitError, match="Unknown parameter of logistic_in_flops 'lo'"):
        fit_groups(LOGISTIC, table, "task", fixed={"lo": 0.2})
    with pytest.raises(TableError, match="columns 'term' of its own; rename"):
        fit_groups(LOGISTIC, table.rename(columns={"task": "term"}), "term")
    with pytest.raises(FitError, match="'low' is a variable, or held by a column"):
        fit_groups(
            LOGISTIC, table.assign(low=0.2, c=0.2), "task", response="low", fixed={"low": "c"}
        )
    with pytest.raises(FitError, match="by names a column twice"):
        fit_groups(LOGISTIC, table, ["task", "task"])
    with pytest.raises(FitError, match="by must name at least one column"):
        fit_groups(LOGISTIC, table, [])
    with pytest.raises(FitError, match="level must lie between 0 and 1"):
        fit_groups(LOGISTIC, table, "task", level=95)


def test_a_law_with_held_parameters_is_the_same_law():
    law, table = LOGISTIC, curves(1)
    moved = holding(law, ("x0", "low"))
    rows = table.assign(x0=22.0, low=0.2)
    left = {"high": 0.8, "k": 2.5}
    assert moved.predict(rows, left) == pytest.approx(law.predict(table, TRUTH))
    assert moved.jacobian(rows, left) == pytest.approx(law.jacobian(table, TRUTH)[:, [1, 3]])
    assert [p.start for p in moved.started_at(rows).parameters] == [
        p.start for p in law.started_at(table).parameters if p.name in moved.names
    ]
