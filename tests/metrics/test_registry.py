import numpy as np
import pandas as pd
import pytest

from emergekit import metrics
from emergekit.theory import mirage
from tests.contracts import check_metric

SAMPLES = pd.DataFrame(
    {
        "prediction": ["12", "1 2 3", "", "cat"],
        "target": ["12", ["1 2", "1 3"], "x", ["dog", "cat"]],
        "choice_logprobs": [
            [-1.0, -2.0, -3.0],
            [-1.0, -1.0, -9.0],
            [-0.1, -5.0, -4.0],
            [-1.0, -2.0, -0.5],
        ],
        "gold": [0, 1, 2, [1, 2]],
    }
)


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=list(metrics.METRICS))
def test_every_metric_honours_the_contract(metric):
    check_metric(metric, SAMPLES)
    assert metrics.get(metric.name) is metric


def test_an_unknown_metric_comes_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'exact_match'"):
        metrics.get("exact_mach")


def test_text_is_scored_against_its_nearest_target():
    assert metrics.get("exact_match").score(SAMPLES).tolist() == [1, 0, 0, 1]
    assert metrics.get("token_edit_distance").score(SAMPLES).tolist() == [0, 1, 1, 0]


def test_tied_choices_share_their_credit():
    assert metrics.get("multiple_choice_grade").score(SAMPLES).tolist() == [1, 0.5, 0, 1]


def test_a_uniform_guess_over_four_choices_has_brier_three_sixteenths():
    table = pd.DataFrame({"choice_logprobs": [[-3000.0] * 4], "gold": [2]})
    assert metrics.get("brier_mean").score(table).tolist() == [0.1875]


def test_brier_agrees_with_its_closed_form():
    p = 0.6
    table = pd.DataFrame({"choice_logprobs": [np.log([p, 0.2, 0.2])], "gold": [0]})
    expected = mirage.expected_brier_mean(p, 3)
    assert metrics.get("brier_mean").score(table)[0] == pytest.approx(expected)
