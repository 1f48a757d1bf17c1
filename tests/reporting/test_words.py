import pandas as pd
import pytest

from emergekit.reporting.words import in_words, listed, span


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2098048, "2.1 million"),
        (137440272384, "137 billion"),
        (1.4e12, "1.4 trillion"),
        (1e21, "1e21"),
        (2.2, "2.2"),
    ],
)
def test_counts_are_said_in_three_digits(value, said):
    assert in_words(value) == said


def test_a_loss_is_said_from_high_to_low():
    assert span("loss", pd.Series([2.0, 4.0])) == "loss (nats per token) from 4 to 2"
    assert span("c4_bpb", pd.Series([0.7, 1.2])) == "c4 bpb from 1.2 to 0.7"


def test_long_lists_say_how_much_is_left():
    assert listed(list("abc"), most=2) == "a, b and 1 more"
    assert listed(["a"]) == "a"
