import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from emergekit import collapse_test, datasets, join_models
from emergekit.emergence.collapse.permutations import (
    detectable_spread,
    permutation_p_value,
    run_design,
)
from emergekit.emergence.collapse.splines import Spline
from emergekit.errors import FitWarning, TableError

WIKITEXT = "wikitext_bits_per_byte"


def simulated(n_rows=15, n_runs=2, n_sizes=5, offset=0.0, run_sd=0.005, sd=0.005, rho=0.8, seed=0):
    """Runs of five sizes on one logistic over loss; the large ones get further down."""
    rng = np.random.default_rng(seed)
    parts = []
    for size in range(n_sizes):
        for number in range(n_runs):
            last = 3.6 - 0.22 * size - rng.uniform(0, 0.3)
            loss = last + (4.4 - last) * np.sort(rng.beta(0.6, 1.6, n_rows))[::-1]
            noise = rng.normal(size=n_rows)
            for i in range(1, n_rows):
                noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
            level = run_sd * rng.normal() + offset * size / (n_sizes - 1)
            score = 0.25 + 0.6 / (1 + np.exp((loss - 3.1) / 0.35)) + level + sd * noise
            parts.append(
                pd.DataFrame(
                    {
                        "model": f"{size}/{number}",
                        "run": f"{size}/{number}",
                        "n_params": 10.0 ** (8 + size / 2),
                        "task": "simulated",
                        "metric": "acc",
                        "loss": loss,
                        "score": score,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def pythia():
    tables = datasets.load_pythia()
    results = tables.results.query("n_shots == 0 and metric == 'acc'")
    return join_models(results, tables.models).dropna(subset=[WIKITEXT])


@pytest.fixture(scope="module")
def ladder():
    tables = datasets.load_olmo_ladder()
    results = tables.results[tables.results["metric"].isin(["acc", "acc_norm"])]
    scores = join_models(results, tables.models)
    return scores[scores["family"].eq("OLMo ladder") & scores["loss"].lt(4.5)]


def test_pythia_on_arc_easy_has_the_known_numbers(pythia):
    # loss_and_transitions.md, section 4: v0, 150 points, Spearman -.991, offsets 5.6 % of the range
    [row] = collapse_test(pythia[pythia["task"] == "arc_easy"], WIKITEXT, by=["task"]).to_dict(
        "records"
    )
    assert (row["n_rows"], row["n_runs"], row["n_sizes"]) == (150, 10, 5)
    assert row["spearman"] == pytest.approx(-0.991, abs=5e-4)
    assert row["offset_share"] == pytest.approx(0.056, abs=0.002)
    assert row["p_checkpoints"] < 1e-4  # what rows as if independent would say
    assert row["p_value"] > 0.2
    assert row["verdict"] == "undecided"
    assert "10 runs" in row["reason"]


def test_checkpoints_without_runs_are_warned_of(pythia):
    rows = pythia[pythia["task"] == "arc_easy"]
    with pytest.warns(FitWarning, match="no runs are named, but 10 models have several rows"):
        by_model = collapse_test(rows.drop(columns="run"), WIKITEXT, by=["task"])
    assert by_model["unit"].tolist() == ["model"]
    with pytest.warns(FitWarning, match="every row is taken for a run of its own"):
        by_row = collapse_test(rows.drop(columns=["run", "model"]), WIKITEXT, by=["task"])
    assert by_row["p_value"].iloc[0] < 0.05 < by_model["p_value"].iloc[0]


def test_one_run_a_size_decides_nothing(pythia):
    answer = collapse_test(pythia[pythia["task"] == "arc_easy"], WIKITEXT)  # families apart
    assert len(answer) == 2
    assert answer["p_value"].isna().all()
    assert (answer["verdict"] == "undecided").all()
    assert answer["reason"].str.startswith("one run a size").all()


def test_checkpoints_of_the_ladder_collapse_over_loss(ladder):
    # loss_and_transitions.md, section 5: offsets 0.8 to 4.2 % of the range, R2 of one spline
    known = {"hellaswag": 0.9973, "arc_easy": 0.9948, "mmlu": 0.9942, "arc_challenge": 0.9815}
    tasks = [f"{name}_rc" for name in known]
    answer = collapse_test(ladder[ladder["task"].isin(tasks)]).set_index("task")
    assert (answer["n_rows"] == 3447).all()
    assert (answer["offset_share"] < 0.05).all()
    assert answer.loc[tasks, "r2"].to_numpy() == pytest.approx(list(known.values()), abs=1e-3)
    assert (answer["p_checkpoints"] < 1e-5).all()
    assert (answer["q_value"] > 0.05).all()
    assert answer.loc["hellaswag_rc", "verdict"] == "collapse"


def shuffled_labels(rows, x="loss", n_permutations=999):
    """Return the p-value of mean residuals of runs when the sizes are shuffled over runs."""
    runs = rows.groupby("run", sort=False)
    columns = Spline(rows[x].to_numpy()).columns(rows[x].to_numpy())
    score = rows["score"].to_numpy()
    rest = score - columns @ np.linalg.lstsq(columns, score, rcond=None)[0]
    means = pd.Series(rest, index=rows.index).groupby(rows["run"], sort=False).mean().to_numpy()
    sizes = pd.factorize(runs["n_params"].first())[0]
    rng = np.random.default_rng(0)

    def between(groups):
        return sum(means[groups == g].sum() ** 2 / (groups == g).sum() for g in set(groups))

    drawn = [between(rng.permutation(sizes)) for _ in range(n_permutations)]
    return (1 + sum(value >= between(sizes) - 1e-15 for value in drawn)) / (1 + n_permutations)


def test_shuffling_the_sizes_is_blind_to_what_permuted_runs_show(ladder):
    # loss_and_transitions.md, section 5, shuffles the sizes over runs and never rejects. The spline
    # follows the sizes, which lie at different losses, so that test is far below its level: here
    # the residuals of runs are permuted instead, and the final models of HellaSwag do differ, by a
    # twentieth of the range: at one loss, small models trained long beat large ones trained short.
    finals = ladder[ladder["is_final"] & ladder["task"].eq("hellaswag_rc")]
    [row] = collapse_test(finals).to_dict("records")
    assert (row["n_runs"], row["n_rows"]) == (30, 30)
    assert row["spearman"] == pytest.approx(-0.996, abs=5e-4)
    assert shuffled_labels(finals) > 0.05
    assert row["p_value"] <= 0.01
    assert row["offset_share"] == pytest.approx(0.05, abs=0.01)
    for n_columns in (5, 8):  # not for want of knots
        assert collapse_test(finals, n_columns=n_columns)["p_value"].iloc[0] <= 0.01
    at = finals.set_index("run")
    assert at.loc["1B-5xC", "loss"] > at.loc["3B-1xC", "loss"]
    assert at.loc["1B-5xC", "score"] > at.loc["3B-1xC", "score"]


def test_the_old_permutation_of_the_ladder_comes_out_as_published(ladder):
    # loss_and_transitions.md, section 5: .67 for HellaSwag over 30 runs
    rows = ladder[ladder["task"] == "hellaswag_rc"]
    assert shuffled_labels(rows) == pytest.approx(0.67, abs=0.08)


def test_an_offset_is_found_and_measured():
    answer = collapse_test(simulated(n_runs=6, offset=0.1))
    [row] = answer.to_dict("records")
    assert row["verdict"] == "offsets"
    assert row["p_value"] == 0.001
    reach = np.ptp(simulated(sd=0, run_sd=0)["score"])
    assert row["offset_share"] == pytest.approx(0.1 / reach, rel=0.25)
    assert row["detectable_share"] < row["offset_share"]
    assert row["left_out_ratio"] > 2


def test_over_compute_sizes_do_not_collapse(ladder):
    # loss_and_transitions.md, section 1: figure 6 of Du et al., the same points, no collapse
    rows = ladder[ladder["task"] == "hellaswag_rc"]
    over_loss, over_compute = (collapse_test(rows, x).iloc[0] for x in ("loss", "flops"))
    assert over_compute["offset_share"] > max(0.1, 10 * over_loss["offset_share"])
    assert (over_compute["verdict"], over_compute["p_value"]) == ("offsets", 0.001)
    assert over_compute["x_min"] == rows["flops"].min()
    with pytest.raises(TableError, match="'flops' must be positive for its logarithm"):
        collapse_test(simulated().assign(flops=0.0), "flops")


def test_runs_on_one_curve_are_told_so_or_the_test_is_said_to_be_blind():
    many = collapse_test(simulated(n_runs=8, run_sd=0.003, sd=0.002)).iloc[0]
    assert many["verdict"] == "collapse"
    assert "would have been seen" in many["reason"]
    few = collapse_test(simulated(n_runs=2, run_sd=0.03)).iloc[0]
    assert few["verdict"] == "undecided"
    assert few["detectable_share"] > 0.05


def test_the_same_seed_gives_the_same_numbers_whatever_the_order_of_rows():
    rows = simulated()
    one, other = collapse_test(rows), collapse_test(rows.sample(frac=1, random_state=1))
    assert one["p_value"].iloc[0] == pytest.approx(other["p_value"].iloc[0], abs=0.06)
    assert one["offset_share"].to_numpy() == pytest.approx(other["offset_share"].to_numpy())
    pd.testing.assert_frame_equal(one, collapse_test(rows))


def test_tasks_of_one_call_share_the_level():
    rows = pd.concat(
        [simulated(seed=seed).assign(task=f"task-{seed}") for seed in range(3)], ignore_index=True
    )
    answer = collapse_test(rows)
    assert answer["task"].tolist() == ["task-0", "task-1", "task-2"]
    assert (answer["q_value"] >= answer["p_value"]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one row a task and model is no trajectory
        collapse_test(rows.groupby(["task", "run"], as_index=False).last().drop(columns="run"))


def test_rows_that_cannot_be_used_are_named():
    rows = simulated()
    with pytest.raises(TableError, match=r"'los' is absent.*Did you mean 'loss'"):
        collapse_test(rows, "los")
    gap = rows.copy()
    gap.loc[7, "loss"] = np.nan
    with pytest.raises(TableError, match="'loss' must be a finite number, but row 7"):
        collapse_test(gap)
    gap = rows.copy()
    gap.loc[7, "n_params"] = 5.0
    with pytest.raises(TableError, match=r"'n_params' must be the same in all rows of a run.*0/0"):
        collapse_test(gap)
    with pytest.raises(TableError, match="it got an empty one"):
        collapse_test(rows.iloc[:0])
    with pytest.raises(TableError, match="it got list"):
        collapse_test([1])
    with pytest.raises(TableError, match="'tsak' of by is absent"):
        collapse_test(rows, by=["tsak"])


@pytest.mark.parametrize(
    "change",
    [
        {"score": 0.25},
        {"loss": 3.0},
        {"n_params": 1e9},
    ],
)
def test_what_cannot_be_compared_is_undecided(change):
    [row] = collapse_test(simulated().assign(**change)).to_dict("records")
    assert row["verdict"] == "undecided"
    assert np.isnan(row["p_value"])
    [short] = collapse_test(simulated().iloc[[0, 40, 80]]).to_dict("records")
    assert short["verdict"] == "undecided"


def test_spearman_is_that_of_scipy():
    rows = simulated()
    expected = spearmanr(rows["loss"], rows["score"]).statistic
    assert collapse_test(rows)["spearman"].iloc[0] == pytest.approx(expected)


def design_of(rows):
    columns = Spline(rows["loss"].to_numpy()).columns(rows["loss"].to_numpy())
    sizes = pd.factorize(rows["n_params"], sort=True)[0]
    return run_design(columns, sizes, pd.factorize(rows["run"])[0]), sizes


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_runs"), [(1, 6), (15, 2), (30, 6)])
def test_a_true_collapse_is_rejected_about_as_often_as_the_level_says(n_rows, n_runs):
    p_values = []
    for seed in range(300):
        rows = simulated(n_rows=n_rows, n_runs=n_runs, seed=seed)
        design, _ = design_of(rows)
        p_values.append(permutation_p_value(design, rows["score"].to_numpy(), 99, seed))
    rejected = (np.array(p_values) <= 0.05).mean()
    assert 0.02 < rejected < 0.09  # binomial: .05 +- .025 at 2 sd
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_runs"), [(1, 6), (15, 2)])
def test_the_detectable_offset_is_found_in_four_of_five_cases(n_rows, n_runs):
    # The noise of one draw is known as well as its runs tell it, so the median of many is taken.
    spreads = []
    for seed in range(15):
        drawn = simulated(n_rows=n_rows, n_runs=n_runs, seed=100 + seed)
        of, groups = design_of(drawn)
        spreads.append(detectable_spread(of, drawn["score"].to_numpy(), groups / 4, 0.05, seed))
    found = []
    for seed in range(150):
        drawn = simulated(n_rows=n_rows, n_runs=n_runs, seed=seed, offset=float(np.median(spreads)))
        of, _ = design_of(drawn)
        found.append(permutation_p_value(of, drawn["score"].to_numpy(), 99, seed) <= 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.15)
