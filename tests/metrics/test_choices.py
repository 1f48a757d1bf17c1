import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit import metrics
from emergekit.errors import TableError
from emergekit.metrics import get, kernels
from emergekit.theory import mirage

SINGLE = [
    "acc",
    "brier_sum",
    "brier_mean",
    "p_correct_choices",
    "cross_entropy_choices",
    "margin_logprob",
    "margin_prob",
]
# Thousandths of a nat, so that a shift by thousands of nats makes no ties.
LOGPROBS = st.lists(st.integers(-60_000, 0).map(lambda n: n / 1000), min_size=2, max_size=6)


def one(logprobs, gold=0, **columns):
    return pd.DataFrame({"choice_logprobs": [list(logprobs)], "gold": [gold], **columns})


@given(LOGPROBS, st.permutations(range(6)))
def test_the_order_of_the_choices_does_not_matter(logprobs, order):
    order = [place for place in order if place < len(logprobs)]
    turned = one([logprobs[place] for place in order], order.index(0))
    for name in SINGLE:
        found, expected = get(name).score(turned)[0], get(name).score(one(logprobs))[0]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@given(LOGPROBS)
def test_a_shift_of_all_log_probabilities_changes_nothing_renormalised(logprobs):
    far = one([value - 3000 for value in logprobs])
    for name in SINGLE:
        found, expected = get(name).score(far)[0], get(name).score(one(logprobs))[0]
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6), name


@given(LOGPROBS)
def test_the_grade_is_one_where_the_margin_is_positive(logprobs):
    margin, right = (get(name).score(one(logprobs))[0] for name in ("margin_logprob", "acc"))
    assert (margin > 0) == (right == 1)
    assert (margin < 0) == (right == 0)


@given(LOGPROBS)
def test_both_briers_are_one_up_to_the_number_of_choices(logprobs):
    total, mean = (get(name).score(one(logprobs))[0] for name in ("brier_sum", "brier_mean"))
    assert mean == pytest.approx(total / len(logprobs))
    assert -1e-15 <= total <= 2 + 1e-12


def test_uniform_guesses_have_their_known_scores():
    # spec/metrics.md section 1, K = 4: .75 as a sum, .1875 as a mean, ln 4
    uniform = one([-3000.0] * 4)
    expected = {"brier_sum": 0.75, "brier_mean": 0.1875, "acc": 0.25, "p_correct_choices": 0.25}
    for name, value in expected.items():
        assert get(name).score(uniform)[0] == pytest.approx(value), name
        assert metrics.rescore(uniform, name)["chance"][0] == pytest.approx(value), name
    assert get("cross_entropy_choices").score(uniform)[0] == pytest.approx(np.log(4))


def test_several_right_choices_share_the_target():
    both = one(np.log([0.5, 0.5, 1e-300, 1e-300]), [0, 1])
    assert get("brier_sum").score(both)[0] == pytest.approx(0, abs=1e-12)
    assert get("p_correct_choices").score(both)[0] == pytest.approx(1)
    assert get("logprob_correct").score(both)[0] == pytest.approx(0, abs=1e-12)  # of their sum
    # BIG-bench: not 0 at the best answer (spec/metrics.md 0.2: 0.125 at K = 4)
    assert get("brier_mean", compat="bigbench").score(both)[0] == pytest.approx(0.125)


def test_bigbench_pools_choices_not_samples():
    # spec/metrics.md 0.2: K = 2 and K = 8, uniform: pooled .1375, mean of samples .1796875
    samples = pd.DataFrame({"choice_logprobs": [[0.0] * 2, [0.0] * 8], "gold": [0, 0]})
    pooled = metrics.rescore(samples, "brier_mean", compat="bigbench")["score"][0]
    assert pooled == pytest.approx(0.1375)
    assert metrics.rescore(samples, "brier_mean")["score"][0] == pytest.approx(0.1796875)


def test_no_right_choice_is_wrong_where_that_has_a_meaning():
    none = pd.DataFrame({"choice_logprobs": [[-1.0, -2.0]], "choice_scores": [[0.0, 0.0]]})
    assert get("acc").score(none)[0] == 0
    assert get("p_correct_choices").score(none)[0] == 0
    for name in ("cross_entropy_choices", "logprob_correct", "margin_logprob"):
        assert np.isnan(get(name).score(none)[0]), name


def test_one_choice_has_no_rival():
    alone = one([-5.0])
    assert get("acc").score(alone)[0] == 1
    assert get("brier_sum").score(alone)[0] == 0
    assert np.isnan(get("margin_logprob").score(alone)[0])


def test_infinitely_unlikely_choices_are_choices():
    table = one([-1.0, -np.inf])
    assert get("acc").score(table)[0] == 1
    assert get("p_correct_choices").score(table)[0] == 1
    wrong = one([-np.inf, -1.0])
    assert get("cross_entropy_choices").score(wrong)[0] == np.inf
    assert get("brier_sum").score(wrong)[0] == 2


@pytest.mark.parametrize(
    "logprobs",
    [
        [np.nan, -1.0],
        [-np.inf, -np.inf],
        [np.inf, -1.0],
        [-1.0, np.inf],
        [np.inf, -np.inf],
        None,
        [],
    ],
)
@pytest.mark.parametrize("gold", [0, [0], [0, 1]])
def test_what_is_no_number_is_missing_not_wrong(logprobs, gold):
    samples = pd.DataFrame({"choice_logprobs": [logprobs, [-1.0, -2.0]], "gold": [gold] * 2})
    for name in (*SINGLE, "multiple_choice_grade", "logprob_correct", "p_correct_vocab"):
        assert np.isnan(get(name).score(samples)[0]), name
    table = metrics.rescore(samples, ["acc", "ece", "macro_f1"])
    [row] = table[table["metric"] == "acc"].to_dict("records")
    assert (row["score"], row["n_examples"], row["n_missing"]) == (1.0, 1, 1)
    assert table["n_missing"].min() == 1
    assert "1 samples without the inputs of acc" in table.attrs["notes"][0]["message"]


@pytest.mark.parametrize("other", [[0], [0, 1], [], None])
def test_a_list_that_names_no_right_choice_is_missing(other):
    samples = pd.DataFrame({"choice_logprobs": [[-1.0, -2.0]] * 2, "gold": [[], other]})
    for name in ("acc", "multiple_choice_grade", "p_correct_choices", "brier_sum"):
        scores = get(name).score(samples)
        assert np.isnan(scores[0]), name
        assert np.isnan(scores[1]) == (not other), name
    [row] = metrics.rescore(samples, "acc").to_dict("records")
    assert row["n_missing"] == (1 if other else 2)


@pytest.mark.parametrize("score", [np.inf, -np.inf, np.nan])
def test_choices_without_a_finite_score_are_missing(score):
    samples = pd.DataFrame(
        {"choice_logprobs": [[-1.0, -2.0]] * 2, "choice_scores": [[score, 0.0], [0.0, 1.0]]}
    )
    grades = get("multiple_choice_grade").score(samples)
    assert np.isnan(grades[0])
    assert grades[1] == 0


def test_cross_entropy_outlives_probabilities_that_underflow():
    assert get("cross_entropy_choices").score(one([-3000.0, 0.0]))[0] == pytest.approx(3000)
    both = one([-3000.0, -3000.0, 0.0], [0, 1])
    assert get("cross_entropy_choices").score(both)[0] == pytest.approx(3000 - np.log(2))
    assert get("logprob_correct").score(both)[0] == pytest.approx(np.log(2) - 3000)
    never = one([-np.inf, -np.inf, 0.0], [0, 1])
    assert get("logprob_correct").score(never)[0] == -np.inf


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (one([-1.0, -2.0], 2), r"'gold' of row 0 is 2, but there are 2 choices, counted from 0"),
        (one([-1.0, -2.0], -1), "'gold' of row 0 is -1"),
        (one([-1.0, -2.0], 0.5), r"'gold' of row 0 is 0\.5"),
        (one([-1.0, -2.0], [0, 5]), "'gold' of row 0 is 5"),
        (
            pd.DataFrame({"choice_logprobs": ["x"], "gold": [0]}),
            "'choice_logprobs' must hold lists of",
        ),
        (
            pd.DataFrame({"choice_logprobs": [["x"]], "gold": [0]}),
            "'choice_logprobs' must hold lists of",
        ),
        (one([-1.0, -2.0], choice_chars=[[1]]), "'choice_chars' of row 0 has 1 entries"),
    ],
)
def test_impossible_samples_are_named(samples, message):
    name = "acc_norm" if "choice_chars" in samples else "acc"
    with pytest.raises(TableError, match=message):
        get(name).score(samples)


def test_lengths_are_counted_where_they_are_not_given():
    table = one([-2.0, -3.0], 1, choices=[["a", "éé"]])
    assert get("acc_norm").score(table)[0] == 1  # -3/2 characters against -2/1
    assert get("acc_bytes").score(table)[0] == 1  # -3/4 bytes
    given = table.drop(columns="choices").assign(choice_chars=[[1, 2]])
    assert get("acc_norm").score(given)[0] == 1


def test_mutual_information_subtracts_what_the_choice_has_anyway():
    table = one([-2.0, -3.0], 1, choice_logprobs_unconditional=[[-1.0, -5.0]])
    assert get("acc_mutual_info").score(table)[0] == 1


def test_mixed_numbers_of_choices_are_scored_together():
    samples = pd.DataFrame(
        {"choice_logprobs": [[-1.0, -2.0], [-3.0, -1.0, -2.0], [-2.0, -1.0]], "gold": [0, 0, [1]]}
    )
    assert get("acc").score(samples).tolist() == [1, 0, 1]
    assert metrics.rescore(samples, "acc")["chance"][0] == pytest.approx(
        (1 / 2 + 1 / 3 + 1 / 2) / 3
    )


@pytest.mark.parametrize("k", [2, 4])
def test_brier_and_grade_follow_their_closed_forms(k):
    for p in (0.1, 0.4, 0.9):
        table = one(np.log([p, *[(1 - p) / (k - 1)] * (k - 1)]))
        assert get("brier_mean").score(table)[0] == pytest.approx(mirage.expected_brier_mean(p, k))
        assert get("acc").score(table)[0] == mirage.expected_multiple_choice_grade(p, k)


# spec/metrics.md section 4, K = 4, z_gold = m + sigma e: grade by exact integration
GRADES = [
    (0.25, -0.25, 0.0683),
    (0.25, 0.25, 0.5520),
    (0.25, 1, 0.9935),
    (1, -1, 0.0683),
    (1, 0, 0.25),
    (1, 1, 0.5520),
    (1, 2, 0.8228),
]


@pytest.mark.parametrize(("sigma", "m", "grade"), GRADES)
def test_the_grade_depends_on_signal_over_noise_only(sigma, m, grade):
    n = 40_000
    z = sigma * np.random.default_rng(1).standard_normal((n, 4))
    z[:, 0] += m
    samples = pd.DataFrame({"choice_logprobs": list(z), "gold": 0})
    found = get("acc").score(samples).mean()
    assert found == pytest.approx(grade, abs=4 * np.sqrt(grade * (1 - grade) / n) + 5e-5)


@pytest.mark.parametrize(
    "name", ["acc", "acc_norm", "brier_sum", "cross_entropy_choices", "p_correct"]
)
def test_compiled_and_plain_arithmetic_agree(name, monkeypatch):
    pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    rng = np.random.default_rng(0)
    n = 3_000
    z = rng.integers(-5, 0, (n, 4)).astype(float)  # whole numbers tie often
    samples = pd.DataFrame(
        {
            "choice_logprobs": list(z),
            "gold": rng.integers(0, 4, n),
            "choice_chars": list(rng.integers(1, 9, (n, 4))),
        }
    )
    plain = get(name).score(samples)
    monkeypatch.setattr(kernels, "_WORTH_COMPILING", 1)
    np.testing.assert_allclose(get(name).score(samples), plain, rtol=1e-12, atol=1e-12)


def test_classes_are_texts_where_there_are_texts():
    samples = pd.DataFrame(
        {
            "choices": [["yes", "no"], ["no", "yes"], ["yes", "no"]],
            "choice_logprobs": [[-1.0, -2.0], [-1.0, -2.0], [-2.0, -1.0]],
            "gold": [0, 1, 0],
        }
    )
    # picks: yes, no, no against yes, yes, yes
    by_text = metrics.rescore(samples, "macro_f1")["score"][0]
    assert by_text == pytest.approx((2 * 1 / (1 + 3) + 0) / 2)
