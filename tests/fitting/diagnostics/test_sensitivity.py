import numpy as np
import pytest

from emergekit import fit, laws
from emergekit.errors import FitError
from emergekit.fitting.diagnostics.sensitivity import delta_path


def test_the_path_passes_through_the_reference_optima(chinchilla_fit):
    # spec/scaling.md 2.1: A, B, E, alpha, beta and the value under each penalty
    reference = {
        0.0: (482.0057, 2085.434, 1.816864, 0.347813, 0.365854, 1.12949466),
        1e-4: (478.6887, 2065.413, 1.81582, 0.34741, 0.36538, 0.000111778748164),
        1e-3: (477.82587, 2143.41736, 1.81721810, 0.34731050, 0.36717243, 0.0010182740178),
        1e-2: (538.7519, 2905.600, 1.83808, 0.35442, 0.38154, 0.00469622488262),
        np.inf: (593.3221, 4875.638, 1.86455, 0.36025, 0.40588, 0.00573094349585),
    }
    path = delta_path(chinchilla_fit, list(reference))
    assert list(path) == [
        "delta",
        *laws.CHINCHILLA.names,
        "n_within",
        "objective_value",
        "converged",
    ]
    assert path["converged"].all()
    for (delta, row), found in zip(reference.items(), path.to_dict("records"), strict=True):
        assert found["delta"] == delta
        names = ("A", "B", "E", "alpha", "beta", "objective_value")
        assert [found[name] for name in names] == pytest.approx(row, rel=2e-5), delta
    # spec/scaling.md section 5: 39 of 240 points are in the quadratic zone
    assert path["n_within"].tolist()[::2] == [5, 39, 240]


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_what_the_fit_held_is_held_along_the_path(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs, fixed={"E": 1.8}, bounds={"beta": (0, 0.35)})
    path = delta_path(result)
    assert path["delta"].is_monotonic_increasing
    assert (path["E"] == 1.8).all()
    assert (path["beta"] == 0.35).any()
    assert (path["beta"] <= 0.35).all()
    one = path.loc[path["delta"] == 1e-3, list(laws.CHINCHILLA.names)].iloc[0]
    np.testing.assert_allclose(one, result.params, rtol=1e-7)


@pytest.mark.parametrize("delta", [-1, np.nan, "x", True])
def test_widths_that_cannot_be_meant_are_refused(chinchilla_fit, delta):
    with pytest.raises(FitError, match="each delta must be a number from 0 to inf; one is"):
        delta_path(chinchilla_fit, [delta])


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize("unit", [1e-200, 1e6])
def test_the_unit_of_the_weights_stretches_the_objective_alone(chinchilla_runs, unit):
    held = {"alpha": 0.34, "beta": 0.37}
    plain = fit(laws.CHINCHILLA, chinchilla_runs, fixed=held)
    stretched = fit(
        laws.CHINCHILLA, chinchilla_runs, fixed=held, weights=[unit] * len(chinchilla_runs)
    )
    path, other = delta_path(plain), delta_path(stretched)
    assert other["converged"].all()
    assert other["A"].to_numpy() == pytest.approx(path["A"].to_numpy(), rel=1e-6)
    scaled = other["objective_value"].to_numpy() / unit
    assert scaled == pytest.approx(path["objective_value"].to_numpy(), rel=1e-9)
