import numpy as np
import pandas as pd
import pytest

from emergekit import metrics
from tests.contracts import check_metric

N = 12
RNG = np.random.default_rng(0)
SAMPLES = pd.DataFrame(
    {
        "example_id": np.repeat(np.arange(N // 4), 4),
        "prediction": ["12", "1 2 3", "3 4", "cat"] * (N // 4),
        "target": ["12", "1 2 4", "3 4", "dog"] * (N // 4),
        "choices": [["a", "bb", "ccc"]] * N,
        "choice_logprobs": list(RNG.normal(-3, 1, (N, 3))),
        "choice_logprobs_unconditional": list(RNG.normal(-3, 1, (N, 3))),
        "choice_chars": [[1, 2, 3]] * N,
        "choice_bytes": [[1, 2, 3]] * N,
        "gold": RNG.integers(0, 3, N),
        "choice_scores": [[1.0, 0.0, 0.0]] * N,
        "token_logprobs": [[-0.5, -1.0], [-2.0, -0.1]] * (N // 2),
        "logprob": -1.5,
        "n_target_tokens": 2,
        "n_words": 2.0,
        "n_bytes": 7.0,
    }
)

NAMES = [
    "exact_match",
    "case_insensitive_match",
    "quasi_exact_match",
    "numeric_match",
    "multiple_choice_grade",
    "acc",
    "acc_norm",
    "acc_bytes",
    "acc_mutual_info",
    "brier_sum",
    "brier_mean",
    "p_correct_choices",
    "p_correct_vocab",
    "logprob_correct",
    "cross_entropy_choices",
    "margin_logprob",
    "margin_prob",
    "ece",
    "macro_f1",
    "mcc",
    "token_nll",
    "bits_per_byte",
    "word_perplexity",
    "byte_perplexity",
    "token_accuracy",
    "subset_accuracy",
    "token_edit_distance",
    "character_edit_distance",
    "bleu",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "squad_em",
    "squad_f1",
    "pass_at_k",
    "pass_until",
    "normalized_preferred_score",
    "chance_corrected_accuracy",
]


def needs_text(name):
    if name in ("bleu", "rougeLsum"):
        pytest.importorskip("sacrebleu", reason="the extra 'text' is not installed")


def test_every_metric_of_the_specification_is_registered():
    assert set(metrics.METRICS) == set(NAMES)
    assert metrics.get("p_correct").name == "p_correct_choices"


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_honours_the_contract(name):
    needs_text(name)
    samples = SAMPLES.drop(columns="choice_scores") if "gold" in SAMPLES else SAMPLES
    check_metric(metrics.METRICS[name], samples)


def test_options_stand_in_the_name():
    assert metrics.get("exact_match", ignore_case=True).name == "exact_match(ignore_case=True)"
    assert (
        metrics.get("subset_accuracy", length=3, of="acc").name
        == "subset_accuracy(length=3, of=acc)"
    )
    assert metrics.get("token_edit_distance").name == "token_edit_distance"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.get("exact_mach"),
            "Unknown metric 'exact_mach'; did you mean 'exact_match'",
        ),
        (lambda: metrics.get("brier"), "Unknown metric 'brier'"),
        (lambda: metrics.get("exact_match", ignore_cases=True), "did you mean 'ignore_case'"),
        (lambda: metrics.get("acc", compat="lm_eval"), "did you mean 'lm-eval'"),
        (lambda: metrics.get("subset_accuracy", length=0), "length must be 1 or more"),
        (
            lambda: metrics.get("chance_corrected_accuracy", of="exact_match"),
            "with a chance level, and exact_match is none",
        ),
    ],
)
def test_what_is_unknown_or_impossible_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sharp_metrics_have_smooth_counterparts_that_read_the_same():
    assert "token_edit_distance" in metrics.continuous_counterparts("exact_match")
    assert {"brier_mean", "margin_logprob", "p_correct_choices"} <= set(
        metrics.continuous_counterparts("multiple_choice_grade")
    )
    for name in NAMES:
        assert all(
            metrics.METRICS[other].continuous for other in metrics.continuous_counterparts(name)
        )


def test_the_table_of_metrics_says_everything():
    table = metrics.describe()
    assert table["metric"].tolist() == list(metrics.METRICS)
    assert table["meaning"].str.startswith("Return").all()
    assert table[["low", "high", "reference"]].notna().all(axis=None)
    lower = table.loc[~table["higher_is_better"].astype(bool), "metric"]
    assert set(lower) == {
        "token_edit_distance",
        "character_edit_distance",
        "brier_sum",
        "brier_mean",
        "cross_entropy_choices",
        "ece",
        "token_nll",
        "bits_per_byte",
        "word_perplexity",
        "byte_perplexity",
    }


@pytest.mark.parametrize(
    ("direction", "names"),
    [
        (False, "val_loss|eval/loss|val loss|ppl,none|cross-entropy|c4_en_ce|task_ece|rmse|WER"),
        (False, "wikitext_bits_per_byte|bits per character|word error rate|edit distance"),
        (True, "acc,none|exact match|pass@1|F1|squad/em|rouge-l|quasi-exact-match"),
        (None, "elo|spice|glossary|closs|faces|emission|logprob_per_byte"),
    ],
)
def test_the_direction_of_a_foreign_metric_follows_from_whole_words_of_its_name(direction, names):
    for name in names.split("|"):
        assert metrics.higher_is_better(name) is direction, name
