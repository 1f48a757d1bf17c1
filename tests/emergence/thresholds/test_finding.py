import numpy as np
import pandas as pd
import pytest

from emergekit import datasets, fit_threshold, join_models
from emergekit.emergence import run_thresholds
from emergekit.emergence.one_curve import one_curve
from emergekit.emergence.thresholds.choice import folds_of
from emergekit.emergence.thresholds.intervals import (
    bootstrap_interval,
    lag_one,
    profile_interval,
    spread_interval,
)
from emergekit.emergence.thresholds.scans import least_squares, scan, thresholds_of
from emergekit.errors import FitError, FitWarning, TableError

RISES = {
    "hinge": lambda u: 0.5 * np.maximum(u, 0),
    "power_hinge": lambda u: 0.4 * np.maximum(u, 0) ** 0.35,
    "step": lambda u: 0.4 * (u >= 0),
    "logistic": lambda u: 0.5 / (1 + np.exp(-u / 0.25)),
    "linear": lambda u: 0.3 * (u + 0.8),
    "flat": lambda u: 0 * u,
}


def curves(form, n_runs=30, n_rows=1, sd=0.01, rho=0.0, eta=3.0, eta_sd=0.0, seed=0):
    """Runs whose score rises from 0.25 past a loss of `eta`."""
    rng = np.random.default_rng(seed)
    parts = []
    for run in range(n_runs):
        even = np.linspace(3.8, 2.3, n_rows)
        loss = np.sort(rng.uniform(2.3, 3.8, n_rows))[::-1] if rho == 0 else even
        noise = rng.normal(size=n_rows)
        for i in range(1, n_rows):
            noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
        rise = RISES[form](eta + eta_sd * rng.normal() - loss)
        row = {"run": run, "step": range(n_rows), "loss": loss, "score": 0.25 + rise + sd * noise}
        parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True)


def best(rows):
    """Return the row of the threshold, of one curve."""
    return rows.iloc[0]


@pytest.fixture(scope="module")
def ladder():
    tables = datasets.load_olmo_ladder()
    chosen = tables.results[tables.results["task"].isin(["hellaswag_rc", "mmlu_mc"])]
    return join_models(chosen, tables.models)


@pytest.fixture(scope="module")
def letters(ladder):
    return ladder.query("task == 'mmlu_mc' and subtask == 'mean' and step > 0")


def test_letters_of_mmlu_have_a_threshold_at_2_70_nats(letters):
    # loss_and_transitions.md, section 5: power hinge of three runs, 376 points
    found = best(fit_threshold(letters, forms=["logistic", "power_hinge"]))
    assert (found.n_rows, found.n_runs) == (376, 3)
    assert (found.verdict, found.form, found.method) == ("threshold", "power_hinge", "spread")
    assert found.eta == pytest.approx(2.70, abs=0.03)
    assert 2.6 < found.lower < found.eta < found.upper < 2.8
    by_run = run_thresholds(letters).set_index("run")["eta"]
    assert by_run.mean() == pytest.approx(found.eta)
    assert by_run["peteish13"] == pytest.approx(2.679, abs=0.006)
    assert by_run["peteish7"] == pytest.approx(2.701, abs=0.006)
    assert by_run["peteish7-medlr"] == pytest.approx(2.714, abs=0.006)
    assert found.n_effective < 200  # neighbours of a run hang together


def test_one_run_of_letters_comes_out_with_the_known_errors(letters):
    # loss_and_transitions.md, section 5: 13B, rmse .0072, .0116 (x0 2.650) and .021
    rows = fit_threshold(letters[letters["run"] == "peteish13"], forms=["logistic", "power_hinge"])
    found, forms = best(rows), rows.set_index(["form", "base"])
    assert forms.loc[("power_hinge", "chance"), "rmse"] == pytest.approx(0.0072, abs=2e-4)
    assert forms.loc[("logistic", "free"), "rmse"] == pytest.approx(0.0116, abs=1e-4)
    assert forms.loc[("logistic", "free"), "eta"] == pytest.approx(2.650, abs=2e-3)
    # Five checkpoints lie before the threshold: bands of loss held out do not bear it out.
    assert (found.verdict, found.method) == ("undecided", "profile")
    assert found.reason.startswith("power hinge from chance against logistic: BIC lower by 9")
    assert "one run" in found.note


def test_final_models_of_hellaswag_are_smooth(ladder):
    # loss_and_transitions.md, section 5: one sigmoid; the logistic beats the hinge by > 40 in BIC
    finals = ladder[ladder["is_final"] & ladder["family"].eq("OLMo ladder")]
    scores = finals.query("task == 'hellaswag_rc' and metric == 'acc_norm'")
    rows = fit_threshold(scores, forms=["quadratic", "logistic", "hinge"])
    found = best(rows)
    assert (found.verdict, found.n_rows, found.n_effective) == ("smooth", 30, 30)
    bic = rows.set_index(["form", "base"])["bic"]
    for level in ("free", "chance"):
        assert bic["hinge"].min() - bic["logistic", level] > 40
    binomial = fit_threshold(scores, errors="binomial", forms=["logistic", "hinge"])
    assert best(binomial).verdict == "smooth"
    # The same rows as counts without overdispersion would say far more than they know.
    raw = binomial.set_index(["form", "base"])["bic"]
    assert raw["hinge"].min() - raw["logistic"].min() > 40


@pytest.mark.slow
def test_checkpoints_as_if_independent_say_far_more(ladder):
    rows = ladder[ladder["family"].eq("OLMo ladder") & ladder["loss"].lt(4.5)]
    rows = rows.query("task == 'hellaswag_rc' and metric == 'acc_norm'")
    found = fit_threshold(rows, chance="free", forms=["logistic", "hinge"], interval="runs")
    assert len(rows) == 3447
    assert best(found).n_effective < 300
    forms = found.set_index("form")
    independent = len(rows) * 2 * np.log(forms.loc["hinge", "rmse"] / forms.loc["logistic", "rmse"])
    honest = forms.loc["hinge", "bic"] - forms.loc["logistic", "bic"]
    assert 40 < honest < 0.1 * independent  # shown, not to be quoted


@pytest.mark.parametrize("form", ["hinge", "power_hinge", "step"])
def test_a_threshold_is_recovered(form):
    rows = curves(form, n_runs=40)
    found = best(fit_threshold(rows, chance=0.25, forms=["logistic", form]))
    assert found.form == form
    assert found.lower <= 3.0 <= found.upper
    assert found.upper - found.lower < 0.2
    assert found.method == "profile"
    if form != "step":
        assert found.verdict == "threshold"


@pytest.mark.parametrize("form", ["logistic", "linear", "flat"])
def test_what_has_no_threshold_gets_none(form):
    found = best(fit_threshold(curves(form, n_runs=40), forms=["linear", "logistic", "hinge"]))
    assert found.verdict == {"flat": "undecided"}.get(form, "smooth")
    assert form != "linear" or found.reason == "no form turns within the scales"
    assert form != "flat" or found.reason == "scores do not rise"


def test_a_steep_logistic_counts_as_a_threshold():
    rows = curves("step", n_runs=40).assign(
        score=lambda t: 0.25 + 0.4 / (1 + np.exp((t["loss"] - 3) / 0.02))
    )
    rows["score"] += 0.01 * np.random.default_rng(0).normal(size=40)
    found = fit_threshold(rows, forms=["linear", "quadratic", "logistic"], chance=0.25)
    assert best(found).verdict == "threshold"
    assert set(found.loc[found["form"] == "logistic", "kind"]) == {"threshold"}
    # No form with a corner was asked for: a midpoint, without an interval.
    assert best(found).form == "logistic"
    assert best(found).eta == pytest.approx(3.0, abs=0.01)
    assert np.isnan(best(found).lower)


def test_a_score_that_falls_has_the_same_threshold():
    rows = curves("hinge", n_runs=30)
    up = fit_threshold(rows, forms=["linear", "hinge"], chance=0.25)
    down = rows.assign(score=1 - rows["score"], higher_is_better=False)
    turned = fit_threshold(down, forms=["linear", "hinge"], chance=0.75)
    assert turned["eta"].to_numpy() == pytest.approx(up["eta"].to_numpy(), abs=1e-6, nan_ok=True)
    assert turned["rmse"].to_numpy() == pytest.approx(up["rmse"].to_numpy())
    assert turned["verdict"].tolist() == up["verdict"].tolist()
    inverse = best(fit_threshold(rows.assign(score=1 - rows["score"]), forms=["linear", "hinge"]))
    assert (inverse.verdict, inverse.reason) == ("undecided", "scores do not rise")


def test_counts_are_in_decades_and_anything_else_rises_as_its_scores_do():
    rows = curves("hinge", n_runs=30)
    sized = rows.assign(n_params=10 ** (12 - rows["loss"]), bits=rows["loss"] / 3)
    options = {"forms": ["linear", "hinge"], "chance": 0.25}
    by_loss = best(fit_threshold(rows, **options))
    by_size = best(fit_threshold(sized, "n_params", **options))
    assert np.log10(by_size.eta) == pytest.approx(12 - by_loss.eta, abs=1e-6)
    assert by_size.lower < by_size.eta < by_size.upper
    by_bits = best(fit_threshold(sized, "bits", **options))
    assert by_bits.eta == pytest.approx(by_loss.eta / 3, abs=1e-6)


def test_the_level_is_held_at_chance_and_free_side_by_side():
    rows = curves("hinge", n_runs=30)
    both = fit_threshold(rows.assign(chance=0.25), forms=["hinge"])
    assert sorted(zip(both["form"], both["base"], strict=True)) == [
        ("constant", "free"),
        ("hinge", "chance"),
        ("hinge", "free"),
    ]
    assert both["chance"].isna().sum() == 2
    free = fit_threshold(rows.assign(chance=0.25), forms=["hinge"], chance="free")
    assert free["base"].tolist() == ["free", "free"]
    assert free["chance"].isna().all()


def test_answers_are_rows_that_stack_the_threshold_first():
    rows = curves("hinge")
    found = fit_threshold(rows, forms=["linear", "logistic", "hinge"], chance=0.25)
    assert found.loc[0, ["form", "verdict", "level"]].tolist() == ["hinge", "threshold", 0.95]
    assert found["lower"].notna().tolist() == [True] + [False] * (len(found) - 1)
    assert found["bic"].iloc[1:].is_monotonic_increasing
    assert (found["verdict"] == "threshold").all()
    assert found["form"].value_counts()[["constant", "linear", "hinge"]].tolist() == [1, 1, 2]


def test_every_curve_of_a_table_gets_its_rows_and_a_bad_one_spoils_no_other():
    tables = [curves("hinge").assign(task="a"), curves("logistic", n_runs=40).assign(task="b")]
    tables.append(curves("hinge", n_runs=3).assign(task="short"))
    options = {"forms": ["linear", "logistic", "hinge"], "chance": 0.25}
    found = fit_threshold(pd.concat(tables, ignore_index=True), **options)
    answer = found.groupby("task", sort=False).head(1).set_index("task")
    assert answer["verdict"].tolist() == ["threshold", "smooth", "undecided"]
    assert answer.loc["short", "reason"].startswith("needs 5 different values of 'loss'")
    alone = fit_threshold(tables[0], **options)
    pd.testing.assert_frame_equal(found[found["task"] == "a"], alone, check_dtype=False)
    pooled = fit_threshold(pd.concat(tables[:1] * 1, ignore_index=True), by=[], **options)
    assert "task" not in pooled
    with pytest.raises(TableError, match="by names columns that are absent: tsk"):
        fit_threshold(tables[0], by=["tsk"])


def test_runs_have_thresholds_of_their_own():
    rows = curves("hinge", n_runs=4, n_rows=25, eta_sd=0.05)
    few = rows[(rows["run"] > 0) | (rows["step"] < 5)]
    found = run_thresholds(few, form="hinge", chance=0.25)
    assert sorted(found["run"]) == [1, 2, 3]
    assert found["eta"].to_numpy() == pytest.approx(3.0, abs=0.2)
    assert run_thresholds(curves("hinge"), form="hinge").empty  # rows are runs
    with pytest.raises(FitError, match="Unknown form with a threshold 'logistic'"):
        run_thresholds(rows, form="logistic")


def test_the_same_seed_gives_the_same_interval_in_any_order():
    rows = curves("hinge", n_runs=3, n_rows=20, rho=0.5)
    options = {"forms": ["hinge"], "interval": "blocks", "chance": 0.25}
    one, again = (best(fit_threshold(rows, **options)) for _ in range(2))
    assert (one.lower, one.upper) == (again.lower, again.upper)
    shuffled = best(fit_threshold(rows.sample(frac=1, random_state=0), **options))
    assert shuffled.eta == pytest.approx(one.eta, abs=1e-9)
    assert shuffled.n_effective == pytest.approx(one.n_effective)


def test_what_cannot_be_meant_is_refused():
    rows = curves("hinge")
    with pytest.raises(TableError, match=r"'los' is absent.*Did you mean 'loss'"):
        fit_threshold(rows, "los")
    with pytest.raises(TableError, match="'loss' must be a finite number, but row 4 holds nan"):
        fit_threshold(rows.assign(loss=rows["loss"].where(rows.index != 4)))
    with pytest.raises(FitError, match="needs 5 different values of 'loss' or more; there are 4"):
        fit_threshold(rows.iloc[:4])
    with pytest.raises(TableError, match="expected a DataFrame with rows"):
        fit_threshold(rows.iloc[:0])
    with pytest.raises(TableError, match="must be positive for its logarithm; row 0"):
        fit_threshold(rows.assign(flops=rows["loss"] - rows["loss"].iloc[0]), "flops")
    for options, said in (
        ({"forms": ["hing"]}, "did you mean 'hinge'"),
        ({"forms": []}, "name a form at least"),
        ({"errors": "poisson"}, "Unknown errors 'poisson'"),
        ({"form": "logistic"}, "Unknown form with a threshold 'logistic'"),
        ({"form": "hinge", "forms": ["step"]}, "'hinge' is not among forms"),
        ({"interval": "iid"}, "Unknown interval 'iid'"),
        ({"interval": "blocks"}, "'blocks' needs runs of several rows"),
        ({"interval": "spread"}, "'spread' needs two runs"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"chance": "x"}, "chance must be a number"),
        ({"errors": "binomial"}, "needs the number of test items"),
    ):
        with pytest.raises(FitError, match=said):
            fit_threshold(rows, **{"forms": ["hinge"], **options})


def test_rows_without_runs_are_warned_of():
    rows = curves("hinge").drop(columns="run")
    with pytest.warns(FitWarning, match="every row is taken for a run of its own"):
        fit_threshold(rows, forms=["hinge"])


def test_few_places_decide_nothing():
    found = best(fit_threshold(curves("hinge", n_runs=7, sd=0.001), forms=["linear", "hinge"]))
    assert found.verdict == "undecided"
    assert "fewer than eight" in found.reason


def test_scores_that_are_all_the_same_decide_nothing():
    [found] = fit_threshold(curves("hinge").assign(score=0.25)).to_dict("records")
    assert (found["verdict"], found["reason"]) == ("undecided", "all scores are the same")
    assert (found["form"], found["n_rows"], found["n_runs"]) == ("none", 30, 30)
    assert np.isnan(found["eta"])


def test_rows_without_scatter_have_their_threshold():
    rows = curves("hinge", sd=0.0).assign(n_examples=1000)
    for errors in ("gaussian", "binomial"):
        options = {"forms": ["logistic", "hinge"], "errors": errors, "chance": 0.25}
        found = best(fit_threshold(rows, **options))
        assert found.verdict == "threshold"
        assert found.eta == pytest.approx(3.0, abs=1e-3)


def test_whole_runs_or_inner_bands_are_held_out():
    many = one_curve(curves("hinge", n_runs=12, n_rows=3), "loss", where="test")
    parts = folds_of(many)
    assert pd.Series(parts).groupby(many.units.codes).nunique().eq(1).all()
    single = one_curve(curves("hinge", n_runs=1, n_rows=80), "loss", where="test")
    bands = folds_of(single)
    assert np.ptp(single.u[bands == 3]) < np.ptp(single.u) / 8
    assert bands[0] == bands[-1] == -1
    held = bands[bands >= 0]
    assert (np.diff(held) >= 0).all()
    assert len(set(held)) == 6


def test_scans_are_least_squares():
    rng = np.random.default_rng(0)
    u, y = np.sort(rng.uniform(0, 1, 25)), rng.normal(size=25)
    weights = rng.uniform(0.1, 2, 25)
    scanned = scan("power_hinge", u, thresholds_of(u, "power_hinge"))
    left, levels, rises = least_squares(scanned, y, weights, None)
    for place in range(0, len(scanned.eta), 97):
        design = np.column_stack([np.ones(25), scanned.columns[place]])
        root = np.sqrt(weights)
        expected, squares, rank, _ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
        if rank < 2 or expected[1] < 0:
            continue
        assert left[0, place] == pytest.approx(float(squares[0]), rel=1e-9)
        assert levels[0, place] == pytest.approx(expected[0], abs=1e-9)
        assert rises[0, place] == pytest.approx(expected[1], rel=1e-7)


def test_neighbours_that_hang_together_are_noticed():
    curve = one_curve(curves("flat", n_runs=2, n_rows=200, rho=0.8), "loss", where="test")
    rest = curve.better - curve.better.mean()
    assert lag_one(curve, rest) == pytest.approx(0.8, abs=0.1)
    apart = one_curve(curves("flat", n_runs=200), "loss", where="test")
    assert lag_one(apart, apart.better) == 0.0


def covered(method, form, n_curves, floor=0.25, **options):
    """Return how often the 95 % interval of a threshold at 3 nats holds it."""
    hits = []
    n_parameters = 2 + (form == "power_hinge") + np.isnan(floor)
    for seed in range(n_curves):
        curve = one_curve(
            curves(form, seed=seed, sd=0.02, **options), "loss", chance=0.25, where="test"
        )
        rng = np.random.default_rng(seed)
        if method == "runs":
            found = bootstrap_interval(curve, form, floor, 0.95, 199, rng)
        elif method == "spread":
            single = [
                profile_interval(
                    curve.part(curve.units.codes == code), form, floor, 2, 0.95, "courses", 2, rng
                ).middle
                for code in range(len(curve.units.names))
            ]
            found = spread_interval(np.array(single), 0.95)
        else:
            found = profile_interval(curve, form, floor, int(n_parameters), 0.95, method, 199, rng)
        hits.append(found.lower <= -3.0 <= found.upper)
    return np.mean(hits)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["hinge", "power_hinge", "step"])
@pytest.mark.parametrize("floor", [0.25, np.nan])
def test_profile_intervals_cover(form, floor):
    share = covered("independent", form, 150, floor=floor, n_runs=30)
    assert 0.90 <= share <= 1.0


@pytest.mark.slow
def test_intervals_over_a_course_cover_where_rows_as_independent_do_not():
    options = {"n_runs": 1, "n_rows": 100, "rho": 0.8}
    assert covered("courses", "hinge", 150, **options) >= 0.89
    assert covered("blocks", "hinge", 150, **options) >= 0.80
    assert covered("independent", "hinge", 150, **options) < 0.70


@pytest.mark.slow
@pytest.mark.parametrize("n_runs", [2, 3, 8])
def test_the_spread_over_runs_covers_their_mean(n_runs):
    share = covered("spread", "hinge", 100, n_runs=n_runs, n_rows=25, rho=0.6, eta_sd=0.05)
    assert share >= 0.88


@pytest.mark.slow
def test_resampled_runs_cover_a_little_less():
    share = covered("runs", "hinge", 100, n_runs=12, n_rows=25, rho=0.6, eta_sd=0.05)
    assert 0.82 <= share <= 0.99


@pytest.mark.slow
def test_smooth_curves_are_seldom_called_thresholds():
    # 30 curves a form; logistics of 10-90 % width 73 % of the range
    said = [
        best(fit_threshold(curves("logistic", n_runs=20, sd=0.02, seed=seed), chance=0.25)).verdict
        for seed in range(30)
    ]
    assert said.count("threshold") <= 2
    sharp = [
        best(
            fit_threshold(curves("power_hinge", n_runs=20, sd=0.02, seed=seed), chance=0.25)
        ).verdict
        for seed in range(30)
    ]
    assert sharp.count("smooth") <= 1
