from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws
from emergekit.errors import FitError, TableError


def test_the_printed_fit_says_what_to_what_how_well(chinchilla_fit):
    lines = repr(chinchilla_fit).splitlines()
    assert lines[0] == "Fit of chinchilla to 240 rows: RMSE 0.0218 in loss"
    assert lines[1].startswith("WARNING: A and alpha are correlated 0.999")
    assert lines[3].split() == ["term", "estimate", "stderr", "lower", "upper"]
    assert lines[4].split()[:2] == ["E", "1.817"]


def test_the_summary_has_formula_source_and_correlations(chinchilla_fit):
    summary = chinchilla_fit.summary()
    for part in ("E + A / n_params^alpha", "Hoffmann et al. 2022", "correlations", "starts agree"):
        assert part in summary


def test_html_is_escaped(chinchilla_runs):
    named = chinchilla_runs.rename(columns={"loss": "<b>loss</b>"})
    fixed = {"alpha": 0.34, "beta": 0.37}
    page = fit(laws.CHINCHILLA, named, response="<b>loss</b>", fixed=fixed)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;loss" in page


def test_predictions_follow_the_index_and_name_what_is_absent(chinchilla_fit):
    table = pd.DataFrame({"n_params": [7e10], "n_tokens": [1.4e12]}, index=["chinchilla"])
    predicted = chinchilla_fit.predict(table)
    assert predicted.index.tolist() == ["chinchilla"]
    assert 1.9 < predicted.loc["chinchilla", "predicted"] < 2.1
    with pytest.raises(TableError, match=r"needs column 'n_tokens'; the table has n_params"):
        chinchilla_fit.predict(table[["n_params"]])


def test_levels_and_kinds_of_interval_are_checked(chinchilla_fit):
    with pytest.raises(FitError, match="level must lie between 0 and 1; it is 95"):
        chinchilla_fit.predict(chinchilla_fit.data, level=95)
    with pytest.raises(FitError, match="level must lie between 0 and 1"):
        chinchilla_fit.to_frame(level=1)
    with pytest.raises(FitError, match="level must lie between 0 and 1; it is 'high'"):
        chinchilla_fit.to_frame(level="high")
    with pytest.raises(ValueError, match="interval must be 'observation' or 'mean', not 'new'"):
        chinchilla_fit.predict(chinchilla_fit.data, interval="new")


def test_hopeless_intervals_reach_to_infinity_without_a_warning(chinchilla_fit):
    hopeless = replace(chinchilla_fit, cov=chinchilla_fit.cov * 1e12)
    frame = hopeless.to_frame().set_index("term")
    assert frame.loc["A", ["lower", "upper"]].tolist() == [0, np.inf]
    band = hopeless.predict(chinchilla_fit.data)
    assert (band["upper"] > 1e100).all()


def test_the_rows_and_weights_that_were_used_are_kept(chinchilla_runs, chinchilla_fit):
    assert chinchilla_fit.data.index.equals(chinchilla_runs.index)
    assert chinchilla_fit.weights.index.equals(chinchilla_runs.index)
    assert chinchilla_fit.fixed == ()


def test_fits_stack(chinchilla_fit):
    both = pd.concat([chinchilla_fit.stats, chinchilla_fit.stats], ignore_index=True)
    assert both["law"].tolist() == ["chinchilla"] * 2
