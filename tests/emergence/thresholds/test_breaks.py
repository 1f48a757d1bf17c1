import numpy as np
import pandas as pd
import pytest

from emergekit import break_test, datasets, join_models
from emergekit.errors import FitError, FitWarning, TableError

RISES = {
    "line": lambda u: 0.3 * u,
    "hinge": lambda u: 0.5 * np.maximum(u, 0),
    "logistic": lambda u: 0.5 / (1 + np.exp(-u / 0.25)),
}


def curves(form="line", n_runs=30, n_rows=1, sd=0.02, rho=0.0, seed=0, task="t"):
    """Runs whose score rises over loss in some way about 3 nats."""
    rng = np.random.default_rng(seed)
    parts = []
    for run in range(n_runs):
        loss = rng.uniform(2.3, 3.8, 1) if n_rows == 1 else np.linspace(3.8, 2.3, n_rows)
        noise = rng.normal(size=n_rows)
        for i in range(1, n_rows):
            noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
        score = 0.4 + RISES[form](3 - loss) + sd * noise
        parts.append(pd.DataFrame({"task": task, "run": run, "loss": loss, "score": score}))
    return pd.concat(parts, ignore_index=True)


def test_a_bend_is_found_where_it_is():
    [row] = break_test(curves("hinge")).to_dict("records")
    assert row["p_value"] == 0.001
    assert row["eta"] == pytest.approx(3.0, abs=0.1)
    assert row["slope_change"] == pytest.approx(0.5, abs=0.1)
    assert (row["n_rows"], row["n_runs"], row["autocorrelation"]) == (30, 30, 0.0)


@pytest.mark.parametrize("form", ["hinge", "logistic"])
def test_rejecting_a_line_is_said_to_be_no_threshold(form):
    # loss_and_transitions.md, section 1: on logistic data the sup-F p-value is .005 too
    [row] = break_test(curves(form)).to_dict("records")
    assert row["p_value"] <= 0.005
    assert "no evidence for a threshold" in row["reason"]
    assert "fit_threshold" in row["reason"]


def test_the_statistic_is_the_largest_f_of_two_regressions():
    rows = curves("hinge", n_runs=20)
    [row] = break_test(rows).to_dict("records")
    u, y = -rows["loss"].to_numpy(), rows["score"].to_numpy()
    line = np.column_stack([np.ones(20), u])
    bent = np.column_stack([line, np.maximum(u + row["eta"], 0)])
    squares = [
        float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())
        for design in (line, bent)
    ]
    assert row["statistic"] == pytest.approx((squares[0] - squares[1]) / (squares[1] / 17))


def test_final_models_of_hellaswag_do_not_lie_on_a_line():
    ladder = datasets.load_olmo_ladder()
    results = ladder.results.query("task == 'hellaswag_rc' and metric == 'acc_norm'")
    finals = join_models(results, ladder.models).query("family == 'OLMo ladder' and is_final")
    for errors in ("gaussian", "binomial"):
        assert break_test(finals, errors=errors)["p_value"].tolist() == [0.001]


def test_curves_of_one_call_share_the_level():
    rows = pd.concat([curves(seed=i, task=f"t{i}") for i in range(5)] + [curves("hinge", task="h")])
    answer = break_test(rows, n_boot=199).set_index("task")
    assert (answer["q_value"] >= answer["p_value"]).all()
    assert answer.loc["h", "q_value"] == pytest.approx(6 * 0.005)
    assert answer.loc["t0", "reason"] == "a straight line is not rejected"


def test_flat_and_short_curves_say_nothing_or_are_refused():
    [row] = break_test(curves().assign(score=0.25)).to_dict("records")
    assert np.isnan(row["p_value"])
    assert row["reason"] == "scores do not vary"
    with pytest.raises(FitError, match="needs 5 different values"):
        break_test(curves(n_runs=4))
    with pytest.raises(TableError, match="expected a DataFrame with rows"):
        break_test(curves().iloc[:0])
    with pytest.raises(TableError, match="by names columns that are absent: tsk"):
        break_test(curves(), by=["tsk"])
    with pytest.raises(FitError, match="errors must be 'gaussian' or 'binomial'"):
        break_test(curves(), errors="poisson")
    with pytest.raises(FitError, match="needs the number of test items"):
        break_test(curves(), errors="binomial")
    with pytest.warns(FitWarning, match="no runs are named"):
        break_test(curves().drop(columns="run"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "highest"),
    [
        ({"n_runs": 12}, 0.09),
        ({"n_runs": 30}, 0.09),
        ({"n_runs": 1, "n_rows": 100, "rho": 0.8}, 0.13),
        ({"n_runs": 6, "n_rows": 30, "rho": 0.6}, 0.12),
    ],
)
def test_straight_lines_are_rejected_about_as_often_as_the_level_says(options, highest):
    p_values = [
        break_test(curves(seed=seed, **options), n_boot=99, seed=seed)["p_value"].iloc[0]
        for seed in range(300)
    ]
    assert 0.015 <= np.mean(np.array(p_values) <= 0.05) <= highest
