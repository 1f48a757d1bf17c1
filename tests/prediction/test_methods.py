"""Published methods of prediction, on the data that they were published with."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from emergekit import TableError, datasets, join_models
from emergekit.prediction import (
    METHODS,
    direct,
    final_scores,
    last,
    linear_trend,
    logistic_trend,
    smoothed_checkpoints,
    two_step,
)

TASKS = (
    "arc_challenge",
    "arc_easy",
    "csqa",
    "hellaswag",
    "mmlu",
    "openbookqa",
    "piqa",
    "socialiqa",
)
FITTED = [f"{size}-{n}xC" for size in ("190M", "370M", "760M", "1B") for n in (1, 2, 5, 10)]

# Bhagia et al. 2024, predictions for 13B-5T by the two steps (their chained_main table).
PUBLISHED = {
    "mmlu": 0.51268,
    "hellaswag": 0.85304,
    "arc_challenge": 0.52671,
    "arc_easy": 0.77242,
    "piqa": 0.82080,
    "csqa": 0.77609,
    "socialiqa": 0.59948,
    "openbookqa": 0.44865,
}


@pytest.fixture(scope="module")
def ladder():
    """Return one row a task and checkpoint, score and bits per byte side by side."""
    tables = datasets.load_olmo_ladder()
    wanted = [f"{task}_rc" for task in PUBLISHED]
    results = tables.results[tables.results["task"].isin(wanted) & tables.results["subtask"].isna()]
    rows = join_models(results, tables.models)
    keys = ["task", "run", "n_params", "n_tokens", "flops"]
    wide = rows.pivot_table(index=keys, columns="metric", values="score").reset_index()
    wide["chance"] = wide["task"].map(rows.groupby("task")["chance"].first())
    wide["task"] = wide["task"].str.removesuffix("_rc")
    return wide.rename(columns={"acc_norm": "score"})


@pytest.fixture(scope="module")
def targets(ladder):
    return final_scores(ladder[ladder["run"] == "peteish13"]).set_index("task", drop=False)


def of_ladder(ladder):
    return ladder[ladder["run"].isin(FITTED)]


def error(band, targets):
    return (band["predicted"] - targets["score"]).abs().mean()


def test_two_steps_give_the_published_predictions(ladder, targets):
    band = two_step(of_ladder(ladder), targets, n_draws=20)
    for task, value in PUBLISHED.items():
        assert band.loc[task, "predicted"] == pytest.approx(value, abs=1e-4), task
    assert error(band, targets) == pytest.approx(0.0417, abs=5e-5)


def test_baselines_err_as_measured_before(ladder, targets):
    # Measured on the same rows by another program (prediction at 13B, mean over eight tasks).
    train = of_ladder(ladder)
    for method, value in ((last, 0.1409), (linear_trend, 0.0822), (logistic_trend, 0.1305)):
        assert error(method(train, targets), targets) == pytest.approx(value, abs=5e-5)


def test_the_direct_law_errs_by_less(ladder, targets):
    band = direct(of_ladder(ladder), targets)
    assert error(band, targets) == pytest.approx(0.0291, abs=5e-5)
    assert (band["lower"] <= band["predicted"]).all()


@pytest.mark.slow
def test_bands_of_two_steps_cover_as_measured_before(ladder, targets):
    band = two_step(of_ladder(ladder), targets)
    inside = targets["score"].between(band["lower"], band["upper"])
    assert inside.sum() in (5, 6, 7)  # 6 of 8 with other draws
    assert (band["upper"] - band["lower"]).mean() < 0.2


def test_final_scores_are_means_of_the_last_checkpoints():
    table = pd.DataFrame(
        {
            "task": "t",
            "run": ["a"] * 4 + ["b"],
            "n_tokens": [4.0, 1.0, 2.0, 3.0, 9.0],
            "score": [0.4, 0.1, 0.2, 0.3, 0.7],
        }
    )
    found = final_scores(table, n_last=2)
    assert found[["run", "n_tokens", "score"]].to_numpy().tolist() == [
        ["a", 4.0, 0.35],
        ["b", 9.0, 0.7],
    ]


def test_the_beginning_of_a_run_goes_before_its_means():
    table = pd.DataFrame(
        {"task": "t", "run": "a", "n_tokens": np.arange(1.0, 12), "score": np.arange(11.0)}
    )
    found = smoothed_checkpoints(table, window=3)
    assert found["n_tokens"].tolist() == list(range(3, 12))
    assert found["score"].tolist() == [2.0, 2.5, *range(3, 10)]


@pytest.mark.parametrize("name", METHODS)
def test_a_task_that_cannot_be_forecast_has_a_reason(name):
    train = pd.DataFrame(
        {
            "task": "known",
            "run": list("abcdefgh"),
            "n_params": np.geomspace(1e8, 1e9, 8),
            "n_tokens": np.geomspace(1e9, 1e11, 8)[[2, 0, 1, 4, 3, 6, 5, 7]],
            "score": [0.3, 0.33, 0.35, 0.4, 0.42, 0.47, 0.5, 0.55],
            "chance": 0.25,
            "bits_per_byte": [1.5, 1.42, 1.35, 1.2, 1.15, 1.04, 0.98, 0.9],
        }
    ).assign(flops=lambda t: 6 * t["n_params"] * t["n_tokens"])
    targets = pd.DataFrame(
        {"task": ["unknown", "known"], "n_params": 1e10, "n_tokens": 1e12, "flops": 6e22},
        index=["x", "y"],
    )
    method = partial(METHODS[name], n_draws=20) if "two_step" in name else METHODS[name]
    band = method(train, targets)
    assert band.index.tolist() == ["x", "y"]
    assert band.loc["x", "reason"] == "no score of task 'unknown' is known"
    assert np.isnan(band.loc["x", "predicted"])
    assert band.loc["y", "reason"] is None
    assert 0 < band.loc["y", "predicted"] < 1.2


def test_a_task_with_two_chances_says_so():
    train = pd.DataFrame(
        {"task": "t", "flops": [1e18, 1e19, 1e20], "score": 0.3, "chance": [0.25, 0.25, 0.5]}
    )
    band = logistic_trend(train, pd.DataFrame({"task": ["t"], "flops": [1e21]}))
    assert "several chances" in band["reason"].iloc[0]


def test_checkpoints_without_a_run_are_refused():
    with pytest.raises(TableError, match="'run' is not known at row 1"):
        final_scores(pd.DataFrame({"task": "t", "run": ["a", None], "n_tokens": 1.0, "score": 0.5}))
