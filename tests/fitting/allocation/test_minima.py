"""Lowest points of functions, parabolas and Akima curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import Akima1DInterpolator

from emergekit.fitting.allocation.minima import akima_minima, lowest_point, parabola_minima


@given(
    place=st.floats(0.5, 29.5),
    bend=st.floats(0.05, 5.0),
    lean=st.floats(0.2, 3.0),
    floor=st.floats(0, 1e4),
)
def test_a_smooth_valley_is_found_to_many_digits(place, bend, lean, floor):
    # The sum of a falling and a rising exponential, as losses at equal compute are.
    def valley(x):
        w = bend * (x - place)
        return floor + np.exp(-lean * w) / lean + np.exp(w)

    low, high = np.array([0.0]), np.array([30.0])
    rounding = np.sqrt(np.finfo(float).eps * (1 + floor))
    found = lowest_point(valley, low, high)[0]
    assert found == pytest.approx(place, abs=1e-8 + rounding / bend)


def test_the_end_of_a_slope_is_its_lowest_point_exactly():
    low, high = np.array([0.0, 0.0]), np.array([30.0, 30.0])
    slopes = np.array([[1.0], [-1.0]])
    assert lowest_point(lambda x: slopes * x, low, high).tolist() == [0.0, 30.0]


def test_a_kink_is_found_and_places_without_value_are_passed_over():
    low, high = np.array([0.0]), np.array([30.0])
    kink = lowest_point(lambda x: np.abs(x - np.pi) + 0.1 * x, low, high)
    assert kink == pytest.approx(np.pi, abs=1e-6)
    partly = lowest_point(lambda x: np.where(x < 2, np.nan, (x - 1) ** 2), low, high)
    assert partly == pytest.approx(2.0, abs=1e-5)
    assert np.isnan(lowest_point(lambda x: x * np.nan, low, high)[0])


@given(st.floats(-5, 5), st.floats(0.01, 100), st.floats(-100, 100))
def test_a_parabola_has_its_own_minimum(place, bend, height):
    x = np.array([14.0, 15.2, 16.1, 18.0, 20.3])
    at = 17 + place
    found, value = parabola_minima(x, (bend * (x - at) ** 2 + height)[:, None])
    assert found[0] == pytest.approx(at, abs=1e-6)
    assert value[0] == pytest.approx(height, abs=1e-6 * (1 + bend))


def test_a_parabola_that_opens_downwards_or_is_a_line_has_none():
    x = np.arange(5.0)
    y = np.stack([-((x - 2) ** 2), 3 * x, np.ones(5)], axis=1)
    assert np.isnan(parabola_minima(x, y)[0]).all()


@given(st.lists(st.floats(0, 10), min_size=4, max_size=9))
def test_no_place_of_an_akima_curve_is_lower_than_its_minimum(values):
    x = np.cumsum(np.linspace(0.5, 1.5, len(values)))
    y = np.array(values)
    place, least = akima_minima(x, y[:, None])
    grid = np.linspace(x[0], x[-1], 5001)
    curve = Akima1DInterpolator(x, y)
    assert least[0] <= curve(grid).min() + 1e-12
    assert least[0] == pytest.approx(float(curve(place[0])), abs=1e-9)


def test_a_grid_gives_nearly_the_exact_minimum():
    rng = np.random.default_rng(0)
    x = np.linspace(15.0, 20.0, 9)
    y = (x[:, None] - 17.3) ** 2 / 10 + 0.02 * rng.standard_normal((9, 200))
    exact, coarse = akima_minima(x, y)[0], akima_minima(x, y, resolution=25)[0]
    # Two valleys as deep as each other may swap; few do.
    assert np.quantile(np.abs(exact - coarse), 0.95) <= 5.0 / (8 * 25 - 1)
