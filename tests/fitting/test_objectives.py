import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit import bootstrap, datasets, fit, laws
from emergekit.errors import FitError, TableError
from emergekit.fitting.objectives import objective

RESIDUALS = np.array([-3.0, -0.5, 0.0, 0.2, 4.0])


def test_huber_is_quadratic_near_zero_and_linear_far_away():
    huber = objective("huber_log", 1.0)
    assert huber.penalty(RESIDUALS).tolist() == [2.5, 0.125, 0.0, pytest.approx(0.02), 3.5]
    assert huber.score(RESIDUALS).tolist() == [-1, -0.5, 0, 0.2, 1]


@given(st.floats(-5, 5), st.floats(1e-3, 10))
def test_the_score_is_the_slope_of_the_penalty(residual, delta):
    huber, step = objective("huber_log", delta), 1e-6
    ends = huber.penalty(np.array([residual - step, residual + step]))
    assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(huber.score(residual), abs=1e-5)


def test_smooth_curvature_is_one_for_least_squares_and_averages_to_the_density_else():
    assert objective("least_squares", 1.0).smooth_curvature(RESIDUALS, 1).tolist() == [1.0] * 5
    # E[penalty''] = P(|r| < delta), about 2 delta f(0) for normal residuals of unit variance
    normal = np.random.default_rng(0).standard_normal(200_000)
    curvature = objective("huber_log", 0.01).smooth_curvature(normal, 1)
    assert curvature.mean() == pytest.approx(2 * 0.01 / np.sqrt(2 * np.pi), rel=0.02)


def test_log_residuals_are_differences_of_logs():
    log = objective("least_squares_log", 1.0)
    assert log.residuals(np.array([1.0]), np.array([np.e])) == pytest.approx([1.0])
    assert objective("least_squares", 1.0).residuals(np.array([1.0]), np.array([3.0])) == [2.0]


def test_a_wide_huber_penalty_keeps_its_own_curvature():
    # residuals far smaller than delta: least squares; bandwidths never outgrow that
    small = np.random.default_rng(0).standard_normal(200) / 1e4
    assert objective("huber_log", 1.0).smooth_curvature(small, 3) == pytest.approx(np.ones(200))
    assert objective("huber_log", 1.0).smooth_curvature(np.zeros(5), 3).tolist() == [1.0] * 5


def test_the_curvature_of_a_weighted_sample_is_that_of_its_repeated_rows():
    rng = np.random.default_rng(0)
    residuals, counts = rng.standard_normal(2000), rng.integers(1, 4, 2000)
    huber = objective("huber_log", 0.01)
    weighted = np.average(huber.smooth_curvature(residuals, 1, counts * 1.0), weights=counts)
    repeated = huber.smooth_curvature(np.repeat(residuals, counts), 1).mean()
    assert weighted == pytest.approx(repeated, rel=0.03)


def test_absolute_deviations_are_the_limit_of_narrow_huber_penalties():
    lad = objective("lad")
    assert lad.penalty(RESIDUALS).tolist() == [3.0, 0.5, 0.0, 0.2, 4.0]
    assert lad.score(RESIDUALS).tolist() == [-1, -1, 0, 1, 1]
    narrow = objective("huber", 1e-9)
    assert narrow.penalty(RESIDUALS) / 1e-9 == pytest.approx(lad.penalty(RESIDUALS), abs=1e-8)
    # density of standard normal residuals at 0, twice: how fast the sign changes on average
    normal = np.random.default_rng(0).standard_normal(200_000)
    curvature = lad.smooth_curvature(normal, 1)
    assert curvature.mean() == pytest.approx(2 / np.sqrt(2 * np.pi), rel=0.02)


def test_quantiles_and_asymmetric_penalties_tell_over_from_under():
    quantile = objective("quantile", tau=0.9)
    assert quantile.penalty(np.array([-1.0, 1.0])) == pytest.approx([0.9, 0.1])
    asymmetric = objective("asymmetric", 1.0, over=3.0)
    assert asymmetric.penalty(np.array([-0.5, 0.5])).tolist() == [0.125, 0.375]
    assert asymmetric.score(np.array([-9.0, 9.0])).tolist() == [-1, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": 1.0}, "tau must lie between 0 and 1; it is 1.0"),
        ({"tau": "x"}, "tau must lie between 0 and 1; it is 'x'"),
        ({"over": 0.0}, "over must be positive and finite; it is 0"),
        ({"delta": True}, "delta must be positive and finite; it is True"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(FitError, match=message):
        objective("quantile", **options)


def test_residuals_of_log1p_take_a_response_of_zero_and_undo_themselves():
    log1p = objective("least_squares_log1p")
    y = np.array([0.0, 0.5, 3.0])
    assert log1p.residuals(np.zeros(3), y) == pytest.approx(np.log(1 + y))
    step = 1e-6
    slope = (log1p.transform(y + step) - log1p.transform(y - step)) / (2 * step)
    assert log1p.slope(y, y) == pytest.approx(slope, rel=1e-6)
    for name in ("least_squares", "least_squares_log", "least_squares_log1p", "binomial"):
        goal = objective(name)
        assert goal.untransform(goal.transform(y)) == pytest.approx(y)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_the_published_broken_law_of_addition_is_the_least_squares_of_log1p():
    # spec/scaling.md, section 2.5: Caballero et al. 2022, one break, 14 of 17 points
    points = datasets.load_bnsl_addition()
    known, ahead = points[points["is_fit"]], points[~points["is_fit"]]
    law = laws.broken_power_law(1, "x")
    found = fit(law, known, objective="least_squares_log1p")
    published = [0.41388, 2.27727, 0.055077, 5.66291, 612.58, 0.059193]
    assert found.params.tolist() == pytest.approx(published, rel=2e-5)
    miss = np.log(found.predict(ahead)["predicted"]) - np.log(ahead["loss"])
    assert np.sqrt(np.mean(miss**2)) == pytest.approx(0.010916, abs=5e-7)
    for kind in ("case", "residual", "wild", "parametric"):
        assert len(bootstrap(found, 3, kind).draws)


def test_a_response_without_a_log1p_is_named():
    table = pd.DataFrame({"flops": [1.0, 2.0, 3.0], "loss": [0.0, 1.0, -1.0]})
    with pytest.raises(TableError, match=r"'loss' must be a number above -1.*row 2 holds -1"):
        fit(laws.power_law(), table, objective="least_squares_log1p")
