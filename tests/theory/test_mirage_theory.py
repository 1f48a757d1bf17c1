import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.theory import mirage

# spec: c = 1e9, alpha = -0.5; loss, p, p^5, 5(1 - p), (1 - p)^2, by hand from the closed forms
TABLE = {
    1e8: (3.162278, 0.042329, 0.000000136, 4.788354, 0.917133),
    1e9: (1.0, 0.367879, 0.006738, 3.160603, 0.399576),
    1e10: (0.316228, 0.728893, 0.205741, 1.355533, 0.073499),
    1e11: (0.1, 0.904837, 0.606531, 0.475813, 0.009056),
    1e12: (0.031623, 0.968872, 0.853753, 0.155640, 0.000969),
}
CHANCES = st.floats(0, 1)


@pytest.mark.parametrize(("size", "row"), TABLE.items())
def test_the_model_gives_the_table_of_its_closed_forms(size, row):
    loss = mirage.power_law_loss(size)
    p = mirage.p_token(loss)
    found = (
        loss,
        p,
        mirage.expected_exact_match(p, 5),
        mirage.expected_token_edit_distance(p, 5),
        mirage.expected_brier_mean(p),
    )
    for value, expected in zip(found, row, strict=True):
        assert value == pytest.approx(expected, abs=6e-7)


def test_simulated_tokens_score_as_expected():
    rng = np.random.default_rng(0)
    n = 40_000
    for p, length in ((0.3, 2), (0.9, 5)):
        right = rng.random((n, length)) < p
        exact, wrong = right.all(axis=1), (~right).sum(axis=1)
        within = 4 / np.sqrt(n)
        expected = mirage.expected_exact_match(p, length)
        assert exact.mean() == pytest.approx(expected, abs=within * exact.std())
        expected = mirage.expected_token_edit_distance(p, length)
        assert wrong.mean() == pytest.approx(expected, abs=within * wrong.std())


@given(p=CHANCES, length=st.integers(1, 500))
def test_exact_match_never_exceeds_token_accuracy(p, length):
    assert mirage.expected_exact_match(p, length) <= p


@given(p=CHANCES, k=st.integers(2, 20))
def test_brier_of_shared_leftovers_is_the_sum_over_choices(p, k):
    chances = np.r_[p, np.full(k - 1, (1 - p) / (k - 1))]
    whole = ((chances - np.eye(k)[0]) ** 2).mean()
    assert mirage.expected_brier_mean(p, k) == pytest.approx(whole, abs=1e-12)


@given(p=CHANCES, k=st.integers(2, 20))
def test_the_brier_sum_is_k_times_the_mean(p, k):
    chances = np.r_[p, np.full(k - 1, (1 - p) / (k - 1))]
    whole = ((chances - np.eye(k)[0]) ** 2).sum()
    assert mirage.expected_brier_sum(p, k) == pytest.approx(whole, abs=1e-12)
    assert mirage.expected_brier_sum(p, k) == pytest.approx(k * mirage.expected_brier_mean(p, k))


@given(loss=st.floats(0, 700))
def test_the_likelihood_of_a_token_gives_the_loss_back(loss):
    assert mirage.expected_token_nll(mirage.p_token(loss)) == pytest.approx(loss, abs=1e-12)


def test_an_impossible_token_has_infinite_loss_and_a_certain_one_none():
    nll = mirage.expected_token_nll([0.0, 1.0])
    assert nll.tolist() == [np.inf, 0.0]
    assert not np.signbit(nll[1])


@given(p=CHANCES)
def test_accuracy_and_probability_of_the_right_one_are_that_chance(p):
    assert mirage.expected_token_accuracy(p) == p
    assert mirage.expected_p_correct_choices(p) == p
    assert mirage.expected_token_edit_distance(p, 7) == pytest.approx(
        7 * (1 - mirage.expected_token_accuracy(p))
    )


def test_a_chance_above_its_share_by_little_is_no_tie():
    found = mirage.expected_multiple_choice_grade([0.25 - 1e-9, 0.25, 0.25 + 1e-9], 4)
    assert found.tolist() == [0.0, 0.25, 1.0]


@pytest.mark.parametrize("k", [2, 4, 10])
def test_the_grade_flips_at_the_threshold_size(k):
    size = mirage.grade_threshold(k)
    below, above = mirage.p_token(mirage.power_law_loss([0.999 * size, 1.001 * size]))
    assert mirage.expected_multiple_choice_grade([below, above], k).tolist() == [0, 1]


def test_uniform_guesses_earn_chance():
    assert mirage.expected_multiple_choice_grade(0.25, 4) == 0.25
    assert mirage.expected_brier_mean(0.25, 4) == pytest.approx(3 / 16)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_on_a_log_axis_the_steepest_slope_does_not_depend_on_length(length):
    # derived: slope |alpha| K u exp(-K u) in ln N, largest at K u = 1, where the score is 1/e
    size = mirage.sharpest_size(length)
    grid = size * np.exp([-1e-4, 0, 1e-4])
    score = mirage.expected_exact_match(mirage.p_token(mirage.power_law_loss(grid)), length)
    assert score[1] == pytest.approx(np.exp(-1))
    assert (score[2] - score[0]) / 2e-4 == pytest.approx(0.5 / np.e, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mirage.power_law_loss([1e9, -1]), "n_params must be positive; entry 1 is -1"),
        (lambda: mirage.power_law_loss(1e9, alpha=0.5), "alpha negative; they are 1e.09 and 0.5"),
        (lambda: mirage.p_token([0.1, -0.2]), "loss must be 0 or more; entry 1 is -0.2"),
        (lambda: mirage.expected_exact_match([0.5, 1.5], 2), r"within \[0, 1\]; entry 1 is 1.5"),
        (lambda: mirage.expected_exact_match(0.5, -1), "n_target_tokens must be 0 or more"),
        (lambda: mirage.expected_brier_mean(0.5, 1), "n_choices must be 2 or more; it is 1"),
        (lambda: mirage.expected_exact_match(np.nan, 2), "entry 0 is nan"),
        (lambda: mirage.expected_token_accuracy(1.5), r"within \[0, 1\]; entry 0 is 1.5"),
        (lambda: mirage.expected_token_nll(-0.5), r"within \[0, 1\]; entry 0 is -0.5"),
        (lambda: mirage.expected_p_correct_choices(2), r"within \[0, 1\]; entry 0 is 2"),
        (lambda: mirage.expected_brier_sum(0.5, 1), "n_choices must be 2 or more; it is 1"),
        (lambda: mirage.grade_threshold(4, c=-1), "c must be positive and alpha negative"),
        (lambda: mirage.grade_threshold(4, alpha=0), "alpha negative; they are 1e.09 and 0"),
        (lambda: mirage.sharpest_size(5, alpha=0.5), "alpha negative; they are 1e.09 and 0.5"),
        (lambda: mirage.sharpest_size(5, c=0), "c must be positive"),
    ],
)
def test_impossible_inputs_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
