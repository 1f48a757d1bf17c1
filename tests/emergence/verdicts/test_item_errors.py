import numpy as np
import pandas as pd
import pytest

import emergekit as ek
from emergekit.emergence.questions.comparison import compare_shapes
from emergekit.emergence.questions.dictionary import curve_dictionary
from emergekit.emergence.verdicts.composition import results_of_samples
from emergekit.metrics import rescore, score_samples


def choices(margin, n_items=150, own=1.0, noise=0.2, seed=0):
    """Return answers of models with these margins to the same items, four choices each."""
    rng = np.random.default_rng(seed)
    difficulty = own * rng.standard_normal((n_items, 4))
    parts = []
    for model, level in enumerate(margin):
        logits = difficulty + noise * rng.standard_normal((n_items, 4))
        logits[:, 0] += level
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        parts.append(
            pd.DataFrame(
                {
                    "model": f"m{model:02d}",
                    "task": "t",
                    "example_id": np.arange(n_items),
                    "gold": 0,
                    "choice_logprobs": list(np.log(p)),
                    "flops": 10.0 ** (18 + 6 * model / (len(margin) - 1)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def texts(n_models=8, n_items=80, seed=0):
    """Return answers of several tokens, of lengths that differ from item to item."""
    rng = np.random.default_rng(seed)
    length, difficulty = rng.integers(1, 6, n_items), rng.gamma(4, 0.25, n_items)
    rows = []
    for model in range(n_models):
        for item in range(n_items):
            nll = 2 * 0.7**model * difficulty[item] * rng.uniform(0.8, 1.2, length[item])
            said = "a" if rng.random() < np.exp(-nll.sum()) else "b"
            rows.append((f"m{model}", "t", item, list(-nll), said, "a", 10.0 ** (18 + model)))
    names = ["model", "task", "example_id", "token_logprobs", "prediction", "target", "flops"]
    return pd.DataFrame(rows, columns=names)


def test_the_covariance_of_means_is_that_of_their_items():
    samples = choices(np.linspace(0, 2, 6))
    results, errors = results_of_samples(samples, "flops", None, None)
    rows = np.flatnonzero(results["metric"] == "multiple_choice_grade")
    right = score_samples(samples, "multiple_choice_grade").to_numpy().reshape(6, 150)
    assert errors.covariance(rows) == pytest.approx(np.cov(right, bias=True) / 150)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["choices", "texts"])
def test_the_covariance_is_that_of_one_bootstrap_of_the_items_for_all_models(kind):
    samples = texts() if kind == "texts" else choices(np.linspace(0, 2, 6), n_items=80)
    results, errors = results_of_samples(samples, "flops", None, None)
    items = samples["example_id"].unique()
    rng = np.random.default_rng(0)
    by_item = {item: rows for item, rows in samples.groupby("example_id")}
    drawn = []
    for _ in range(150):
        chosen = rng.choice(items, len(items))
        again = pd.concat([by_item[item].assign(repeat=i) for i, item in enumerate(chosen)])
        scores = rescore(again, list(results["metric"].unique()), by=["model", "task"])
        drawn.append(scores.set_index(["metric", "model"])["score"])
    for metric, rows in results.groupby("metric"):
        own = errors.covariance(rows.index.to_numpy())
        table = pd.DataFrame([draw[metric][rows["model"]] for draw in drawn])
        known = table.cov().to_numpy()
        size = np.sqrt(np.outer(np.diag(known), np.diag(known)))
        assert np.abs(own - known).max() < 0.4 * size.max()
        assert np.trace(own) == pytest.approx(np.trace(known), rel=0.2)
        assert np.corrcoef(own.ravel(), known.ravel())[0, 1] > 0.95


def test_scores_that_no_answer_stands_behind_have_no_covariance():
    samples = choices(np.linspace(0, 2, 6))
    results, errors = results_of_samples(samples, "flops", None, None)
    sharp = np.flatnonzero(results["metric"] == "multiple_choice_grade")
    assert errors.covariance(sharp).shape == (6, 6)
    assert errors.covariance(np.array([sharp[0], 99])) is None


def test_items_of_their_own_move_no_other_model():
    samples = choices(np.linspace(0, 2, 6))
    apart = samples.assign(example_id=samples["model"] + samples["example_id"].astype(str))
    results, errors = results_of_samples(apart, "flops", None, None)
    sharp = np.flatnonzero(results["metric"] == "multiple_choice_grade")
    own = errors.covariance(sharp)
    assert own == pytest.approx(np.diag(np.diag(own)), abs=1e-15)
    share = results.loc[sharp, "score"].to_numpy()
    assert np.diag(own) == pytest.approx(share * (1 - share) / 150)


def test_shared_items_leave_the_shape_surer_than_the_points():
    # The same scores of the same models: an easy test is easy for all of them.
    t = np.linspace(0, 1, 12)
    share = 0.25 + 0.5 * np.maximum(t - 0.5, 0) ** 0.5
    noise = 0.01 * np.sqrt(2) * np.cos(2.4 * np.arange(12) ** 2)
    variance = np.full(12, 0.04**2)
    options = {"n_boot": 199, "counts": True}
    statistics = []
    for together in (None, variance[0] * (0.95 + 0.05 * np.eye(12))):
        found = compare_shapes(
            curve_dictionary(t),
            share + noise,
            variance,
            rng=np.random.default_rng(0),
            covariance=together,
            **options,
        )
        statistics.append(found)
    alone, together = statistics
    assert together.p_break <= 0.05 < alone.p_break
    assert together.noise < alone.noise == 1.0


def test_a_verdict_from_samples_knows_its_items_and_does_not_change_with_their_order():
    samples = choices(0.3 + 2.2 * np.maximum(np.linspace(-1, 1, 12), 0) ** 0.35)
    row = ek.mirage_test(samples, x="flops").iloc[0]
    shuffled = ek.mirage_test(samples.sample(frac=1, random_state=0), x="flops").iloc[0]
    for name in ("verdict", "p_break", "p_break_sharp", "p_smooth_sharp"):
        assert row[name] == shuffled[name], name
    results, _ = results_of_samples(samples, "flops", None, None)
    plain = ek.mirage_test(results, x="flops").iloc[0]
    names = ["p_break_sharp", "p_rev_sharp", "p_smooth_sharp"]
    assert row[names].tolist() != plain[names].tolist()
    assert row["f_top"] == plain["f_top"]


@pytest.mark.slow
def test_smooth_margins_over_shared_items_break_no_more_often_than_the_level_says():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        margin = 0.5 + 2.1 * np.linspace(0, 1, 12) + 0.04 * rng.standard_normal(12)
        row = ek.mirage_test(choices(margin, seed=seed), x="flops", n_boot=99).iloc[0]
        found.append((row["p_break"] <= 0.05, row["p_break_sharp"] <= 0.05))
    assert (np.mean(found, axis=0) <= 0.12).all()  # 0.05 + 2.5 standard errors
