"""Parameters that the caller holds or bounds, and what cannot be meant by that."""

import numpy as np
import pytest

from emergekit import fit, laws
from emergekit.errors import FitError
from emergekit.fitting.solving.coordinates import VANISHED, Coordinates


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"alpha": -3}, r"fixed value of 'alpha' .* within its bounds \[0, 2\]; it is -3"),
        ({"alpha": np.inf}, "fixed value of 'alpha' must be finite"),
        ({"alpha": "x"}, "fixed value of 'alpha' must be a number; it is 'x'"),
        ({"alpha": None}, "fixed value of 'alpha' must be a number; it is None"),
        ({"alpha": True}, "fixed value of 'alpha' must be a number; it is True"),
        ({"alpha": np.nan}, "fixed value of 'alpha' must be a number; it is nan"),
        (["alpha"], r"fixed must be a mapping from parameters of chinchilla \(E, A"),
        (dict.fromkeys(laws.CHINCHILLA.names, 1.0), "every parameter of chinchilla is fixed"),
    ],
)
def test_fixed_values_that_cannot_be_meant_are_refused(chinchilla_runs, fixed, message):
    with pytest.raises(FitError, match=message):
        fit(laws.CHINCHILLA, chinchilla_runs, fixed=fixed)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((-1, 2), "bounds of 'E' must not go below 0, because it is searched by its logarithm"),
        ((0, 0), "bounds of 'E' leave no room: both are 0. Hold it with fixed={'E': 0}"),
        ((0.3, 0.3), "Hold it with fixed={'E': 0.3}"),
        (1, r"bounds of 'E' must be a pair \(lower, upper\); they are 1"),
        ((1, 2, 3), r"must be a pair \(lower, upper\)"),
        (("a", 1), "each bound of 'E' must be a number; it is 'a'"),
        ((np.nan, 1), "each bound of 'E' must be a number; it is nan"),
        ((2, 1), "bounds of 'E' are the wrong way round: 2 > 1"),
    ],
)
def test_bounds_that_cannot_be_meant_are_refused(chinchilla_runs, bounds, message):
    with pytest.raises(FitError, match=message):
        fit(laws.CHINCHILLA, chinchilla_runs, bounds={"E": bounds})


def test_fixed_values_are_held_to_the_bounds_that_are_given_beside_them():
    Coordinates(laws.CHINCHILLA, {"alpha": -3}, {"alpha": (-5, 0)})
    with pytest.raises(FitError, match=r"within its bounds \[0, 1\]; it is 1.5"):
        Coordinates(laws.CHINCHILLA, {"alpha": 1.5}, {"alpha": (0, 1)})


def test_the_end_of_the_log_scale_stands_for_zero():
    coordinates = Coordinates(laws.CHINCHILLA, {"alpha": 0.3}, {"A": (1, 9)})
    z = np.full(coordinates.n_free, VANISHED)
    assert coordinates.params(z) == {
        "E": 0,
        "A": pytest.approx(0),
        "B": 0,
        "alpha": 0.3,
        "beta": z[3],
    }
    assert coordinates.vanishing.tolist() == [True, False, True, False]
