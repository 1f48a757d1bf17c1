import numpy as np
import pytest

from emergekit.emergence import items_needed, link_test, resolution_test
from emergekit.emergence.questions.links import composition_test
from emergekit.emergence.questions.responses import forced_choice


@pytest.mark.parametrize("length", [1, 2, 5, 10])
def test_equal_items_give_back_the_length(length):
    loss = 3 * 10 ** (-0.25 * np.linspace(0, 6, 12))
    right = np.round(5000 * np.exp(-length * loss))
    found = link_test(loss, right, [5000] * 12, kind="em", loss=True)
    assert found.linked
    assert pytest.approx(length, rel=0.05) == found.A
    assert found.b == pytest.approx(1, abs=0.05)


def test_a_power_of_the_mean_loss_is_wrong_over_unequal_items_and_the_product_is_right():
    # Specification: misfit .070 against .020-.025; fitted (A, b) near (5.34, .75) at K = 10.
    rng = np.random.default_rng(0)
    loss = 3 * 10 ** (-0.25 * np.linspace(0, 6, 12))
    each = loss[:, None] * rng.gamma(4, 0.25, 4000)
    p = np.exp(-10 * each)
    right = rng.binomial(1, p).sum(axis=1)
    mean = each.mean(axis=1)
    share = right / 4000
    assert np.abs(share - np.exp(-10 * mean)).max() > 0.05
    assert np.abs(share - p.mean(axis=1)).max() < 0.03
    found = link_test(mean, right, [4000] * 12, kind="em", loss=True)
    assert pytest.approx(5.34, rel=0.15) == found.A
    assert found.b == pytest.approx(0.75, abs=0.08)
    n = np.full(12, 4000.0)
    options = {"alpha": 0.05, "rng": rng, "n_boot": 199}
    variance = (p * (1 - p)).sum(axis=1) / n**2
    assert composition_test(right, n, p.mean(axis=1), variance, **options).linked
    assert not composition_test(right, n, np.exp(-10 * mean), variance, **options).linked


def test_a_metric_that_keeps_rising_is_no_mediator_of_one_that_jumps():
    z = np.linspace(0.25, 0.5, 12)
    right = np.where(np.arange(12) < 6, 250, 600)
    found = link_test(z, right, [1000] * 12, kind="mc", n_choices=4)
    assert not found.linked
    assert found.max_residual > 0.05


def test_forced_choice_starts_at_chance_and_ends_at_one():
    for k in (2, 3.5, 4, 10):
        f = forced_choice(k)
        assert f(np.array([0.0]))[0] == pytest.approx(1 / k, abs=1e-6)
        assert f(np.array([12.0]))[0] == pytest.approx(1, abs=1e-6)
    # Two choices: Phi(d / sqrt 2), Green & Swets 1966.
    assert forced_choice(2)(np.array([1.0]))[0] == pytest.approx(0.7602499389, abs=1e-6)


def test_items_needed_for_a_hit_and_for_a_share_above_guessing():
    assert items_needed(0.001) == 2995  # Mirage data: n for 95 % chance of one hit
    rng = np.random.default_rng(0)
    n = int(items_needed(0.3, chance=0.25))
    bar = np.quantile(rng.binomial(n, 0.25, 20_000), 0.95)
    assert (rng.binomial(n, 0.3, 20_000) > bar).mean() == pytest.approx(0.95, abs=0.01)
    assert items_needed(0.2, chance=0.25) == np.inf


def test_few_items_cannot_tell_a_step_and_many_can():
    step = np.array([0, 0, 0, 0, 5, 5, 5, 5])
    assert resolution_test(range(8), step, [10] * 8).p_value > 0.05
    assert resolution_test(range(8), 100 * step, [1000] * 8).p_value <= 0.05


def test_impossible_inputs_are_refused():
    with pytest.raises(ValueError, match="n_choices"):
        link_test([1, 2, 3], [1, 2, 3], [9] * 3, kind="mc")
    with pytest.raises(ValueError, match="a loss must be positive"):
        link_test([1, 0, 3], [1, 2, 3], [9] * 3, kind="em", loss=True)
    with pytest.raises(ValueError, match="between 0 and n_examples"):
        resolution_test(range(3), [1, 2, 30], [9] * 3)
