import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws

TABLE = pd.DataFrame(
    {"n_params": np.geomspace(1e7, 1e10, 30), "n_tokens": np.geomspace(1e9, 3e11, 30)[::-1]}
)
TIED = laws.tied(laws.CHINCHILLA, {"beta": "alpha"})
PARAMS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35}


def test_a_tied_law_is_the_law_with_equal_parameters():
    both = {**PARAMS, "beta": PARAMS["alpha"]}
    assert TIED.predict(TABLE, PARAMS) == pytest.approx(laws.CHINCHILLA.predict(TABLE, both))
    slopes, whole = TIED.jacobian(TABLE, PARAMS), laws.CHINCHILLA.jacobian(TABLE, both)
    assert slopes[:, :3] == pytest.approx(whole[:, :3])
    assert slopes[:, 3] == pytest.approx(whole[:, 3] + whole[:, 4])
    assert TIED.formula.endswith(", beta = alpha")


# Rounding decides whether rows without noise leave a covariance, whose correlations are announced.
@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_a_tied_law_is_fitted_and_inverted_like_any_other():
    loss = TIED.predict(TABLE, PARAMS)
    found = fit(TIED, TABLE.assign(loss=loss), objective="least_squares_log")
    assert found.params.to_dict() == pytest.approx(PARAMS, rel=1e-5)
    rows = {name: TABLE[name].to_numpy() for name in TABLE}
    size = TIED.inverse("n_params", loss, *rows.values(), *PARAMS.values())
    assert size == pytest.approx(rows["n_params"])


def test_a_guess_survives_the_tie():
    humps = laws.tied(laws.inverted_u_shaped(), {"k_fall": "k_rise"})
    flops = np.geomspace(1e18, 1e25, 20)
    table = pd.DataFrame({"flops": flops, "score": np.sin(np.linspace(0, 3, 20))})
    starts = {p.name: p.start for p in humps.started_at(table).parameters}
    whole = {p.name: p.start for p in laws.inverted_u_shaped().started_at(table).parameters}
    assert starts == {name: whole[name] for name in starts}


@pytest.mark.parametrize(
    ("pairs", "match"),
    [
        ({"betta": "alpha"}, "did you mean 'beta'"),
        ({"beta": "gamma"}, "Unknown parameter of chinchilla 'gamma'"),
        ({"beta": "alpha", "alpha": "E"}, "tie both to 'E'"),
        ({}, "pairs must name parameters"),
        ({"alpha": "alpha"}, "pairs must name parameters"),
    ],
)
def test_ties_are_checked(pairs, match):
    with pytest.raises(ValueError, match=match):
        laws.tied(laws.CHINCHILLA, pairs)
