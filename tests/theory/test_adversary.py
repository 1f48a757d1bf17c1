import numpy as np
import pytest

from emergekit.theory import performance_curve, simulate_adversary

CASES = [  # theta, k, alpha
    (0.1, 8, 0.1),
    (0.1, 8, 0.2),
    (0.05, 8, 0.2),
    (0.05, 4, 0.2),
    (0.05, 16, 0.2),
    (0.2, 8, 0.3),
    (0.05, 4, 0.5),
]


@pytest.mark.parametrize(("theta", "k", "alpha"), CASES)
def test_the_greedy_adversary_reaches_the_exact_curve(theta, k, alpha):
    found = simulate_adversary(1000, 200_000, k, theta, alpha)
    assert found == pytest.approx(performance_curve(alpha, theta, k, "exact"), rel=0.01)


def test_no_other_skills_fare_worse_than_those_the_adversary_had_in_mind():
    # The worst skills of the same failures, found afterwards: alternating gains nothing.
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 300, (100_000, 8))
    failing = np.argsort(-(drawn < 60).sum(axis=1), kind="stable")[:10_000]
    rates = np.bincount(drawn[failing].ravel(), minlength=300) / np.bincount(drawn.ravel())
    assert set(np.argsort(-rates)[:60]) == set(range(60))


def test_failures_at_random_hurt_no_skill_in_particular():
    few = simulate_adversary(1000, 50_000, 8, 0.05, 0.2, "random")
    many = simulate_adversary(1000, 400_000, 8, 0.05, 0.2, "random")
    assert many == pytest.approx(1.106, abs=0.01)  # graphs of the same size, made elsewhere
    assert 1 < many < few < performance_curve(0.2, 0.05, 8, "exact")


def test_equal_seeds_give_equal_numbers():
    one, two, other = (simulate_adversary(50, 1000, 4, 0.1, 0.2, seed=s) for s in (1, 1, 2))
    assert one == two != other
    assert simulate_adversary(2, 2, 1, 0.001, 0.001) >= 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_skills": 1}, "n_skills must be a whole number, 2 or more"),
        ({"k": 0}, "k must be a whole number"),
        ({"theta": 0.0}, "theta must be strictly between 0 and 1"),
        ({"theta": [0.1, 0.2]}, "theta must be one number"),
        ({"alpha": 1.0}, "alpha must be strictly between"),
        ({"strategy": "greddy"}, "did you mean 'greedy'"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    usual = {"n_skills": 10, "n_texts": 100, "k": 2, "theta": 0.1, "alpha": 0.1}
    with pytest.raises(ValueError, match=message):
        simulate_adversary(**usual | change)
