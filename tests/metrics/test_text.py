from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit import metrics
from emergekit.errors import TableError
from emergekit.metrics import get
from emergekit.theory import mirage

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)
FREE = [
    "exact_match",
    "case_insensitive_match",
    "quasi_exact_match",
    "squad_em",
    "token_edit_distance",
    "character_edit_distance",
    "token_accuracy",
    "rouge1",
    "rouge2",
    "rougeL",
    "squad_f1",
]


def pair(prediction, target):
    return pd.DataFrame({"prediction": [prediction], "target": [target]})


@given(TEXT, TEXT)
def test_any_text_is_scored_within_bounds(prediction, target):
    for name in FREE:
        metric = get(name)
        score = metric.score(pair(prediction, target))[0]
        assert metric.bounds[0] <= score <= metric.bounds[1], name


@given(TEXT)
def test_a_text_is_at_no_distance_from_itself(text):
    same = pair(text, text)
    assert get("exact_match").score(same)[0] == 1
    assert get("token_edit_distance").score(same)[0] == 0
    assert get("token_edit_distance", normalise="target").score(same)[0] == 0
    assert get("token_accuracy").score(same)[0] == 1


@given(st.text("01234", min_size=1, max_size=8), st.text("01234", min_size=1, max_size=8))
def test_edit_distance_is_at_most_the_number_of_wrong_places(left, right):
    n = min(len(left), len(right))
    wrong = sum(a != b for a, b in zip(left[:n], right[:n], strict=True))
    distance = get("token_edit_distance", unit="characters").score(pair(left[:n], right[:n]))[0]
    assert distance <= wrong  # the paper's equation 6 has it the other way round


def test_missing_answers_are_missing_and_empty_ones_are_answers():
    samples = pd.DataFrame({"prediction": ["a", None, "", np.nan], "target": "a"})
    for name in FREE:
        scores = get(name).score(samples)
        assert np.isnan(scores[[1, 3]]).all(), name
        assert not np.isnan(scores[[0, 2]]).any(), name
    results = metrics.rescore(samples, "exact_match")
    assert results[["score", "n_examples", "n_missing"]].to_numpy().tolist() == [[0.5, 2, 2]]
    assert "2 samples without the inputs" in results.attrs["notes"][0]["message"]


def test_any_of_several_targets_will_do():
    samples = pd.DataFrame({"prediction": ["b", "b"], "target": [["a", "b"], "b"]})
    assert get("exact_match").score(samples).tolist() == [1, 1]
    assert get("token_edit_distance").score(samples).tolist() == [0, 0]


def test_folding_is_asked_for():
    table = pair("The Answer: 12!", "the answer 13")
    assert get("exact_match").score(table)[0] == 0
    folded = get("exact_match", ignore_case=True, ignore_punctuation=True, ignore_numbers=True)
    assert folded.score(table)[0] == 1
    assert get("exact_match", regexes_to_ignore=["a+"]).score(pair("baab", "bb"))[0] == 1


def test_the_first_tokens_can_be_scored_alone():
    table = pair("1234", "1299")
    for length, right in ((1, 1), (2, 1), (3, 0)):
        cut = get("exact_match", first_tokens=length, unit="characters")
        assert cut.score(table)[0] == right
    assert get("token_edit_distance", first_tokens=3, unit="characters").score(table)[0] == 1
    assert get("exact_match", first_tokens=2).score(pair("a  b c", "a b d"))[0] == 1
    with pytest.raises(ValueError, match="first_tokens must be 1 or more"):
        get("exact_match", first_tokens=0).score(table)


def test_non_ascii_letters_are_no_words_of_rouge():
    assert get("rouge1").score(pair("été", "été"))[0] == 1  # its consonant is left
    assert get("rouge1").score(pair("éà", "éà"))[0] == 0
    assert get("character_edit_distance").score(pair("日本", "日曜"))[0] == 1


def test_text_that_is_none_is_refused_with_its_type():
    with pytest.raises(TableError, match="'prediction' must hold text, not int64"):
        get("exact_match").score(pair(5, "5"))


@pytest.mark.parametrize(("p", "length"), [(0.5, 2), (0.8, 5), (0.9, 5), (0.95, 10)])
def test_simulated_outputs_score_as_the_closed_forms_say(p, length):
    rng = np.random.default_rng(length)
    n = 20_000
    target = rng.integers(0, 50_000, (n, length))
    right = rng.random((n, length)) < p
    answer = np.where(right, target, (target + rng.integers(1, 50_000, (n, length))) % 50_000)
    samples = pd.DataFrame(
        {
            "prediction": [" ".join(map(str, row)) for row in answer],
            "target": [" ".join(map(str, row)) for row in target],
        }
    )
    for name in ("exact_match", "token_edit_distance", "token_accuracy"):
        metric = get(name)
        scores = metric.score(samples)
        arguments = (p,) if name == "token_accuracy" else (p, length)
        expected = getattr(mirage, metric.expected)(*arguments)
        assert scores.mean() == pytest.approx(expected, abs=4 * scores.std() / np.sqrt(n)), name


def test_accuracy_falls_geometrically_with_length():
    # d ln(accuracy) / d ln(p) = K
    p = np.array([0.8, 0.9, 0.95, 0.99])
    for length in (1, 3, 5):
        accuracy = mirage.expected_exact_match(p, length)
        slope = np.polyfit(np.log(p), np.log(accuracy), 1)[0]
        assert slope == pytest.approx(length, rel=0.02)


@given(
    target=st.decimals(-1000, 1000, places=3),
    share=st.integers(-1500, 1500).map(lambda n: Decimal(n) / 10_000),
    tolerance=st.sampled_from(["0.01", "0.05", "0.1", "0.3", "1"]),
)
def test_a_number_matches_up_to_the_bound_itself_as_decimals_have_it(target, share, tolerance):
    answer = target * (1 + share) if target else share
    scale = abs(target) if target else 1
    expected = abs(answer - target) <= Decimal(tolerance) * scale
    found = get("numeric_match", tolerance=float(tolerance)).score(pair(str(answer), str(target)))
    assert found[0] == expected


def test_rounding_decides_no_number_and_bigbench_keeps_its_own():
    close = pd.DataFrame(
        {
            "prediction": ["1.1", "0.9", "1.1000001", "-1.1", "0.1", "inf", "nan", "1e308", "110"],
            "target": ["1", "1", "1", "-1", "0", "1", "1", "-1e308", "100"],
        }
    )
    assert get("numeric_match").score(close).tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 1]
    signed = get("numeric_match", compat="bigbench").score(close)
    assert signed[:3].tolist() == [0, 1, 0]  # abs(1.1 - 1) / 1 > 0.1 in floats
    exact = pair("0.30000000000000004", "0.3")
    assert get("numeric_match", tolerance=0).score(exact)[0] == 0
    assert get("numeric_match", tolerance=0).score(pair("0.3", "0.30"))[0] == 1
