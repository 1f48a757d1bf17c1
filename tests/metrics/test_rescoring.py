import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from emergekit import curve_shapes, metrics
from emergekit.errors import LoadError, TableError
from emergekit.metrics import get, rescore, score_samples
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.sums import _groups
from emergekit.metrics.uncertainty import mean_stderr
from emergekit.tables import RESULTS, validate


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    n = 5_000
    return pd.DataFrame(
        {
            "model": rng.choice(["a", "b"], n),
            "task": rng.choice(["t", "u"], n),
            "example_id": np.arange(n),
            "n_shots": rng.choice([0, 5], n),
            "filter": rng.choice(["none", "strict"], n),
            "cluster": rng.integers(0, 300, n),
            "prediction": rng.choice(["1 2", "2 1", "3", None], n),
            "target": "1 2",
            "choice_logprobs": list(rng.normal(-3000, 5, (n, 4))),
            "gold": rng.integers(0, 4, n),
            "logprob": rng.normal(-3000, 1, n),
            "n_bytes": rng.integers(5, 50, n),
        }
    )


WANTED = [
    "exact_match",
    "token_edit_distance",
    "brier_sum",
    "logprob_correct",
    "ece",
    "bits_per_byte",
    "macro_f1",
]


def assert_equal(found, expected, rtol=1e-12):
    keys = ["model", "task", "metric", "n_shots", "filter"]
    both = expected.merge(found, on=[k for k in keys if k in expected], suffixes=("", "_found"))
    assert len(both) == len(expected) == len(found)
    for name in ("score", "stderr", "n_examples", "n_missing", "chance"):
        np.testing.assert_allclose(both[f"{name}_found"], both[name], rtol=rtol, err_msg=name)


def test_results_hold_their_schema_and_feed_the_curves(samples):
    results = rescore(samples, WANTED)
    validate(results, RESULTS)
    assert len(results) == 2 * 2 * 2 * 2 * len(WANTED)
    shapes = curve_shapes(results.assign(n_params=results["model"].map({"a": 1e6, "b": 1e9})))
    assert len(shapes) == 2 * 2 * 2 * len(WANTED)


def test_scores_are_plain_means_with_plain_errors(samples):
    results = rescore(samples, "token_edit_distance").set_index(
        ["model", "task", "n_shots", "filter"]
    )
    scores = score_samples(samples, "token_edit_distance")["token_edit_distance"]
    for key, rows in samples.groupby(["model", "task", "n_shots", "filter"]):
        own = scores[rows.index].dropna()
        found = results.loc[key]
        assert found["score"] == pytest.approx(own.mean())
        assert found["stderr"] == pytest.approx(own.sem())
        assert found["resolution"] == pytest.approx(1 / len(own))
        assert found["n_missing"] == rows["prediction"].isna().sum()


def test_shots_and_filters_are_never_mixed(samples):
    results = rescore(samples, "exact_match", by=["model"])
    assert len(results) == 2 * 2 * 2
    assert {"n_shots", "filter"} <= set(results)


def test_clusters_widen_the_error_as_miller_says(samples):
    one = samples[(samples["model"] == "a") & (samples["task"] == "t")]
    one = one[(one["n_shots"] == 0) & (one["filter"] == "none")].dropna(subset="prediction")
    [row] = rescore(one, "exact_match", cluster="cluster").to_dict("records")
    scores = score_samples(one, "exact_match")["exact_match"]
    assert row["stderr"] == pytest.approx(mean_stderr(scores, one["cluster"]), rel=1e-12)
    assert row["n_examples"] == len(one)
    assert row["n_missing"] == 0


def test_every_way_in_gives_the_same_numbers(samples, tmp_path):
    memory = rescore(samples, WANTED)
    table = pa.Table.from_pandas(samples)
    pa.parquet.write_table(table, tmp_path / "all.parquet", row_group_size=700)
    folder = tmp_path / "folder"
    folder.mkdir()
    for part in range(3):
        pa.parquet.write_table(table.slice(part * 2_000, 2_000), folder / f"{part}.parquet")
    assert_equal(rescore(table, WANTED), memory)
    assert_equal(rescore(iter(table.to_batches(max_chunksize=999)), WANTED), memory)
    assert_equal(rescore(tmp_path / "all.parquet", WANTED), memory)
    assert_equal(rescore(str(folder), WANTED), memory)
    assert_equal(rescore(samples.sample(frac=1, random_state=0), WANTED), memory)
    assert_equal(rescore(tmp_path / "all.parquet", WANTED, engine="processes", n_workers=2), memory)


def test_batches_do_not_change_large_numbers(samples, monkeypatch):
    whole = rescore(samples, "logprob_correct")
    monkeypatch.setattr("emergekit.metrics.sources.BATCH", 170)
    assert_equal(rescore(samples, "logprob_correct"), whole)


def test_ratios_have_the_error_of_the_delta_method(samples):
    [row] = rescore(samples.drop(columns=["n_shots", "filter"]), "bits_per_byte", by=[]).to_dict(
        "records"
    )
    nats, length = -samples["logprob"], samples["n_bytes"]
    ratio = nats.sum() / length.sum()
    spread = ((nats - ratio * length) ** 2).sum() / (len(samples) - 1)
    expected = np.sqrt(len(samples) * spread) / length.sum()
    assert row["score"] == pytest.approx(ratio / np.log(2))
    assert row["stderr"] == pytest.approx(expected / np.log(2))


def test_subsets_of_right_answers_are_rarer_by_a_power():
    right = np.r_[np.ones(60), np.zeros(40)].astype(int).astype(str)
    samples = pd.DataFrame({"prediction": right, "target": "1"})
    chosen = [
        get("subset_accuracy", length=3),
        get("subset_accuracy", length=3, method="power"),
        get("subset_accuracy", length=1),
    ]
    unbiased, power, single = rescore(samples, chosen)["score"]
    assert unbiased == pytest.approx(60 * 59 * 58 / (100 * 99 * 98))
    assert power == pytest.approx(0.6**3)
    assert single == pytest.approx(0.6)


def test_the_unbiased_subset_estimate_is_unbiased():
    rng = np.random.default_rng(0)
    a, n, length = 0.6, 12, 4
    counts = rng.binomial(n, a, 40_000)
    places = np.arange(length)
    unbiased = np.prod(np.maximum(counts[:, None] - places, 0) / (n - places), axis=1)
    assert unbiased.mean() == pytest.approx(a**length, abs=4 * unbiased.std() / 200)
    assert ((counts / n) ** length).mean() > a**length + 0.01  # and the plain power is not


def repeated(counts):
    rows = [
        {"example_id": place, "prediction": str(int(draw < right)), "target": "1"}
        for place, (n, right) in enumerate(counts)
        for draw in range(n)
    ]
    return pd.DataFrame(rows)


def test_pass_at_k_is_a_mean_over_examples():
    samples = repeated([(10, 3), (10, 0), (2, 1)])
    [row] = rescore(samples, get("pass_at_k", k=5)).to_dict("records")
    assert row["score"] == pytest.approx((0.9166666666666666 + 0) / 2)  # two answers are too few
    assert row["n_examples"] == 2


def test_pass_until_has_an_unbiased_and_a_biased_form():
    samples = repeated([(10, 2), (4, 2)])
    scores = rescore(samples, [get("pass_until"), get("pass_until", method="biased")])["score"]
    assert scores.tolist() == pytest.approx([(1 / 9 + 1 / 3) / 2, (2 / 10 + 2 / 4) / 2])


def test_pass_until_is_unbiased_under_its_stopping_rule():
    # spec/metrics.md: biased by 1.11 at r = 10; at r = 1 and p = .01 by 4.65
    rng = np.random.default_rng(0)
    p, r, n = 0.05, 10, 40_000
    draws = r + rng.negative_binomial(r, p, n)
    assert ((r - 1) / (draws - 1)).mean() == pytest.approx(p, rel=0.01)
    assert (r / draws).mean() == pytest.approx(1.11 * p, rel=0.02)


def test_scores_above_chance_are_rescaled():
    samples = pd.DataFrame({"choice_logprobs": [[-1.0, -2.0]] * 4, "gold": [0, 0, 0, 1]})
    results = rescore(samples, ["chance_corrected_accuracy", "normalized_preferred_score"])
    assert results["score"].tolist() == [0.5, 0.5]


def test_scores_by_sample_keep_the_index(samples):
    part = samples.iloc[10:20]
    scores = score_samples(part, ["exact_match", "brier_sum"])
    assert scores.index.equals(part.index)
    with pytest.raises(TableError, match="ece: scores whole sets of samples only; use rescore"):
        score_samples(part, "ece")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda s: rescore(s, "acc_norm"),
            TableError,
            "acc_norm: needs column 'choice_chars' or 'choices'",
        ),
        (lambda s: rescore(s, []), ValueError, "metrics is empty"),
        (lambda s: rescore(s, ["acc", "acc"]), ValueError, "metric 'acc' is there twice"),
        (lambda s: rescore(s, "acc", by=["modl"]), TableError, "did you mean 'model'"),
        (lambda s: rescore(s, "acc", cluster="clustr"), TableError, "did you mean 'cluster'"),
        (lambda s: rescore(s.iloc[:0], "acc"), TableError, "the table has no rows"),
        (lambda s: rescore([], "acc"), TableError, "the iterable has no batches"),
        (lambda s: rescore("nowhere.parquet", "acc"), LoadError, "no such file or folder"),
    ],
)
def test_impossible_requests_are_refused(samples, call, error, message):
    with pytest.raises(error, match=message):
        call(samples)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(LoadError, match=r"x\.parquet: not a readable parquet file"):
        rescore(tmp_path / "x.parquet", "acc")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LoadError, match="the folder holds no parquet file"):
        rescore(empty, "acc")


def test_compat_changes_only_what_is_given_by_name():
    tied = pd.DataFrame({"choice_logprobs": [[-1.0, -1.0]], "gold": [1]})
    assert metrics.rescore(tied, "acc")["score"][0] == 0.5
    assert metrics.rescore(tied, "acc", compat="lm-eval")["score"][0] == 0
    assert metrics.rescore(tied, get("acc"), compat="lm-eval")["score"][0] == 0.5


def test_examples_of_two_tasks_stay_apart_under_one_number():
    # Chen et al. 2021: pass@2 of answers x y is 1, of y y is 0
    samples = pd.DataFrame(
        {
            "model": "m",
            "task": ["A", "A", "B", "B"],
            "example_id": 1,
            "repeat": [0, 1, 0, 1],
            "prediction": list("xyyy"),
            "target": "x",
        }
    )
    metric = get("pass_at_k", k=2, of="exact_match")
    row = rescore(samples, metric, by="model").iloc[0]
    assert (row["score"], row["n_examples"]) == (0.5, 2)
    ids = pd.DataFrame(
        {
            "model": "m",
            "task": ["A"] * 4 + ["B"] * 4,
            "example_id": [1, 2, 3, 4] * 2,
            "repeat": 0,
            "prediction": list("xxyyyyxx"),
            "target": "x",
        }
    )
    stderr = rescore(ids, "exact_match", by="model")["stderr"].iloc[0]
    assert stderr == pytest.approx((8 * 0.25) ** 0.5 / 8)  # eight clusters of one answer each


def test_groups_stay_apart_however_many_values_their_columns_have():
    n = 65_535  # four such columns fill 64 bits, and a fifth would be shifted out
    rows = {name: [f"{i}" for i in range(n)] + ["0", "0"] for name in "bcde"}
    samples = pd.DataFrame({"a": ["p"] * n + ["q", "r"], **rows})
    group, _ = _groups(Inputs(samples), list("abcde"))
    assert len(np.unique(group)) == n + 2
