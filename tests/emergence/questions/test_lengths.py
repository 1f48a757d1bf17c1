import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from emergekit.emergence import length_link_test


def items(b=1.0, A=0.2, n=500, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 15, n)
    return lengths, rng.random(n) < np.exp(-A * lengths**b)


@pytest.mark.parametrize(
    ("task", "prompting", "b", "stderr", "verdict"),
    [
        ("word_sorting", "direct", 1.86, 0.25, "compounding"),
        ("word_sorting", "cot", 5.2, 0.8, "compounding"),
        ("dyck_languages", "direct", 0.90, 0.22, "independent"),
        ("dyck_languages", "cot", 0.42, 0.23, "sublinear"),
    ],
)
def test_codex_on_bbh_has_the_known_powers(reference_files, task, prompting, b, stderr, verdict):
    # mirage_test.md, section 4: code-davinci-002, words of the target as length
    path = reference_files / "bbh" / "bbh_code_davinci_002_answers.csv.gz"
    table = pd.read_csv(path, keep_default_na=False)
    rows = table[table["task"].eq(task) & table["prompting"].eq(prompting)]
    found = length_link_test(rows["target"].str.split().str.len(), rows["exact_match"])
    assert len(rows) == found["n_items"] == 250
    assert found["b"] == pytest.approx(b, abs=0.05)
    assert found["stderr"] == pytest.approx(stderr, abs=0.03)
    assert found["verdict"] == verdict
    if (task, prompting) == ("word_sorting", "direct"):
        assert found["statistic"] == pytest.approx(15.0, abs=0.05)


def test_the_power_is_that_of_the_largest_likelihood():
    lengths, hits = items(b=1.4)
    found = length_link_test(lengths, hits)

    def lost(theta):
        p = np.exp(-np.exp(theta[0]) * lengths ** theta[1])
        return -np.where(hits, np.log(p), np.log1p(-p)).sum()

    best = minimize(
        lost, (-1.6, 1.0), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    assert found["b"] == pytest.approx(best.x[1], abs=1e-4)
    assert found["A"] == pytest.approx(np.exp(best.x[0]), rel=1e-4)
    assert found["p_token"] == pytest.approx(np.exp(-found["A"]))
    one = minimize(lambda a: lost((a[0], 1.0)), [-1.6], method="Nelder-Mead")
    assert found["statistic"] == pytest.approx(2 * (one.fun - best.fun), abs=1e-4)


@pytest.mark.parametrize(("b", "said"), [(2.0, "compounding"), (0.3, "sublinear")])
def test_lengths_that_hurt_more_or_less_than_independent_errors_are_told(b, said):
    found = length_link_test(*items(b=b, A=0.3, n=1500))
    assert found["verdict"] == said
    assert found["lower"] < b < found["upper"]


def test_answers_stack():
    rows = pd.DataFrame([length_link_test(*items(seed=seed)) for seed in range(2)])
    assert rows["n_items"].tolist() == [500, 500]


@pytest.mark.parametrize(
    ("lengths", "hits", "message"),
    [
        ([1, 2], [1], "rows of one length"),
        ([1, 0, 2], [1, 0, 1], "lengths must be positive; item 1 has 0"),
        ([], [], "lengths must be positive"),
        ([1, np.nan], [1, 0], "item 1 has nan"),
        ([1, 2, 3], [0.5, 0, 1], "item 0 is 0.5"),
        ([1, 2, 3], [1, 1, 1], "both 0 and 1"),
        ([3, 3, 3], [1, 0, 1], "all are 3"),
        ([1, 2, 3, 4], [1, 1, 0, 0], "parted by length"),
    ],
)
def test_items_that_say_nothing_are_refused(lengths, hits, message):
    with pytest.raises(ValueError, match=message):
        length_link_test(lengths, hits)


def test_levels_out_of_range_are_refused():
    with pytest.raises(ValueError, match="alpha must lie inside"):
        length_link_test(*items(), alpha=5)


@pytest.mark.slow
def test_independent_errors_are_rejected_as_often_as_the_level_says():
    p = [length_link_test(*items(n=120, seed=seed))["p_value"] for seed in range(400)]
    assert 0.025 < np.mean(np.array(p) <= 0.05) < 0.085
