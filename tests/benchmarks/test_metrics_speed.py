"""Metrics against the libraries that people use now (extra `bench`)."""

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from emergekit.metrics import get, kernels, score_samples
from emergekit.metrics.resampling import bootstrap_interval

BUNDLE = ["acc", "acc_norm", "brier_sum", "cross_entropy_choices", "p_correct"]
WORDS = np.array([f"w{i}" for i in range(2_000)])


def many_choices(n):
    """Return n samples of four choices, as a file of them comes from Arrow."""
    rng = np.random.default_rng(0)
    offsets = pa.array(np.arange(0, 4 * n + 1, 4, dtype=np.int32))
    logprobs, chars = rng.normal(-3, 2, 4 * n), rng.integers(3, 30, 4 * n)
    return pa.table(
        {
            "choice_logprobs": pa.ListArray.from_arrays(offsets, pa.array(logprobs)),
            "choice_chars": pa.ListArray.from_arrays(offsets, pa.array(chars)),
            "gold": pa.array(rng.integers(0, 4, n)),
        }
    )


def texts(n):
    """Return n pairs of 5 to 30 words, about one in five the same."""
    rng = np.random.default_rng(0)
    targets = [list(rng.choice(WORDS, rng.integers(5, 31))) for _ in range(n)]
    answers = []
    for words in targets:
        wrong = rng.random(len(words)) < (0.0 if rng.random() < 0.2 else 0.15)
        answers.append(
            [rng.choice(WORDS) if bad else word for bad, word in zip(wrong, words, strict=True)]
        )
    return pd.DataFrame(
        {"prediction": [" ".join(a) for a in answers], "target": [" ".join(t) for t in targets]}
    )


@pytest.fixture(scope="module")
def pairs():
    return texts(20_000)


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "numba"])
def test_multiple_choice_bundle_against_lm_eval(ratio, monkeypatch, compiled):
    pytest.importorskip("lm_eval")
    if compiled:
        pytest.importorskip("numba")
    from tests.benchmarks.peers import lm_eval_choices

    monkeypatch.setattr(kernels, "_WORTH_COMPILING", 1 if compiled else sys.maxsize)
    n, few = 1_000_000, 10_000
    table = many_choices(n)
    task, rows = lm_eval_choices(), table.slice(0, few).to_pylist()
    docs = [
        {"choices": ["a" * k for k in row["choice_chars"]], "gold": row["gold"]} for row in rows
    ]
    answers = [[(value, False) for value in row["choice_logprobs"]] for row in rows]
    ratio(
        f"choice bundle, {'numba' if compiled else 'numpy'}, against lm-eval process_results",
        500 if compiled else 150,
        lambda: score_samples(table, BUNDLE),
        n,
        lambda: [
            task.process_results(doc, answer) for doc, answer in zip(docs, answers, strict=True)
        ],
        few,
    )


def test_token_edit_distance_against_nltk(ratio, pairs):
    nltk = pytest.importorskip("nltk.metrics.distance")
    few = pairs.head(300)
    ratio(
        "token edit distance from text, against nltk",
        60,
        lambda: score_samples(pairs, "token_edit_distance"),
        len(pairs),
        lambda: [
            nltk.edit_distance(a.split(), t.split())
            for a, t in zip(few["prediction"], few["target"], strict=True)
        ],
        len(few),
    )


def test_token_edit_distance_against_a_plain_loop(ratio, pairs):
    from rapidfuzz.distance import Levenshtein

    ratio(
        "token edit distance from text, against a plain rapidfuzz loop",
        1,
        lambda: score_samples(pairs, "token_edit_distance"),
        len(pairs),
        lambda: [
            Levenshtein.distance(a.split(), t.split())
            for a, t in zip(pairs["prediction"], pairs["target"], strict=True)
        ],
        len(pairs),
    )


def test_exact_match_against_lm_eval(ratio, pairs):
    lm_eval = pytest.importorskip("lm_eval.api.metrics")
    few = pairs.head(2_000)
    ratio(
        "exact match, against lm-eval per sample",
        50,
        lambda: score_samples(pairs, "exact_match"),
        len(pairs),
        lambda: [
            lm_eval.exact_match_hf_evaluate(predictions=[a], references=[t])
            for a, t in zip(few["prediction"], few["target"], strict=True)
        ],
        len(few),
    )


def test_rouge_l_against_rouge_score(ratio, pairs):
    scorers = pytest.importorskip("rouge_score.rouge_scorer")
    scorer, few = scorers.RougeScorer(["rougeL"]), pairs.head(1_000)
    ratio(
        "ROUGE-L from text, against rouge-score",
        12,
        lambda: score_samples(pairs, "rougeL"),
        len(pairs),
        lambda: [scorer.score(t, a) for a, t in zip(few["prediction"], few["target"], strict=True)],
        len(few),
    )


def test_text_bundle_tokenises_once(ratio, pairs):
    bundle = ["rouge1", "rouge2", "rougeL"]
    ratio(
        "ROUGE-1, -2, -L together, against one after another",
        1,
        lambda: score_samples(pairs, bundle),
        len(pairs),
        lambda: [score_samples(pairs, name) for name in bundle],
        len(pairs),
    )


def test_bootstrap_of_marks_against_scipy(ratio):
    from scipy.stats import bootstrap

    marks = (np.random.default_rng(0).random(10_000) < 0.3).astype(float)
    found = ratio(
        "bootstrap of 10,000 marks, 10,000 draws, against scipy",
        1,
        lambda: bootstrap_interval(marks, n=10_000),
        1,
        lambda: bootstrap(
            (marks,), np.mean, n_resamples=1_000, method="percentile", batch=100, rng=0
        ),
        0.1,
    )
    assert found > 1
    assert get("exact_match").name == "exact_match"
