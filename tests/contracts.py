"""What every object of a kind must do; run over every registered one."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest

from emergekit.errors import TableError
from emergekit.metrics import rescore
from emergekit.metrics.inputs import Inputs
from emergekit.tables import RESULTS, validate
from emergekit.theory import mirage


def check_table(table, schema):
    """A table holds its schema, and what it holds survives a round trip through CSV's types."""
    assert validate(table, schema) is table
    assert not table.columns.duplicated().any()
    assert isinstance(table.index, pd.RangeIndex)
    if schema is RESULTS and "higher_is_better" in table:
        assert table["higher_is_better"].isin([True, False]).all()


def check_dataset(table):
    """A bundled table says where it comes from, under which licence, and what to cite."""
    for name in ("source", "licence", "reference"):
        assert table.attrs[name]


def check_metric(metric, samples):
    """A metric scores within its bounds, knows what it reads, and counts what is missing."""
    assert pickle.loads(pickle.dumps(metric)).name == metric.name
    assert metric.reference
    low, high = metric.bounds
    assert low < high
    assert metric.expected is None or callable(getattr(mirage, metric.expected))

    inputs = dict.fromkeys(option for need in metric.requires for option in need.split("|"))
    [row] = rescore(samples, metric, by=[]).to_dict("records")
    assert low <= row["score"] <= high
    assert row["n_missing"] == 0
    assert row["n_examples"] > 0
    assert row["higher_is_better"] is metric.higher_is_better
    for need in metric.requires:
        with pytest.raises(TableError, match=re.escape(need.split("|")[0])):
            rescore(samples.drop(columns=need.split("|"), errors="ignore"), metric)

    read = [name for name in inputs if name in samples and name != "example_id"]
    half = samples.copy()
    half.loc[half.index[::2], read] = None
    [row] = rescore(half, metric, by=[]).to_dict("records")
    assert row["n_missing"] == len(half.iloc[::2])

    if metric.scorer is not None:
        scores = metric.score(samples)
        assert scores.shape == (len(samples),)
        assert np.all((scores >= low) & (scores <= high))
        assert np.isnan(metric.score(half)[::2]).all()
    if metric.chance is not None:
        chance = metric.chance(Inputs(samples))
        assert np.all((chance >= low) & (chance <= high))


def check_law(law, table, params):
    """A law is picklable, vectorised over parameters, and has the gradient it claims."""
    assert pickle.loads(pickle.dumps(law)) == law
    assert law.reference
    assert law.formula
    value = law.predict(table, params)
    assert value.shape == (len(table),)

    batch = {name: np.array([[value], [value * 1.01]]) for name, value in params.items()}
    assert law.predict(table, batch).shape == (2, len(table))
    np.testing.assert_allclose(law.predict(table, batch)[0], value, rtol=1e-14)

    jacobian = law.jacobian(table, params)
    assert jacobian.shape == (len(table), len(law.names))
    for place, name in enumerate(law.names):
        step = 1e-6 * params[name]
        high, low = ({**params, name: params[name] + sign * step} for sign in (1, -1))
        slope = (law.predict(table, high) - law.predict(table, low)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, place], slope, rtol=1e-6, err_msg=name)

    if law.inverse is not None:
        columns = [table[name].to_numpy(dtype=float) for name in law.variables]
        for along, column in zip(law.variables, columns, strict=True):
            back = law.inverse(along, value, *columns, *params.values())
            np.testing.assert_allclose(back, column, rtol=1e-6, err_msg=along)


def check_fit(fit, table):
    """A fit has the columns of every other fit, predicts on the index it is given, and prints."""
    assert list(fit.params.index) == list(fit.law.names)
    assert list(fit.cov.index) == list(fit.cov.columns) == list(fit.law.names)
    frame = fit.to_frame()
    assert list(frame.columns) == ["term", "estimate", "stderr", "lower", "upper"]
    known = frame["stderr"].notna()
    assert (frame["lower"] <= frame["estimate"])[known].all()
    assert (frame["estimate"] <= frame["upper"])[known].all()
    assert len(fit.stats) == 1
    assert {"n_rows", "rmse", "aic", "bic", "converged"} <= set(fit.stats)

    again = table.sample(frac=0.5, random_state=0)
    predicted = fit.predict(again)
    assert list(predicted.columns) == ["predicted", "lower", "upper"]
    assert predicted.index.equals(again.index)
    assert (predicted["lower"] <= predicted["predicted"]).all()
    assert (predicted["predicted"] <= predicted["upper"]).all()
    narrow, wide = fit.predict(again, level=0.5), fit.predict(again, level=0.99)
    assert (narrow["upper"] < wide["upper"]).all()
    mean = fit.predict(again, interval="mean")
    assert (mean["upper"] <= predicted["upper"]).all()

    assert repr(fit).startswith(f"Fit of {fit.law.name} to {len(fit.data)} rows")
    for warning in fit.warnings:
        assert warning in repr(fit)
    assert fit.law.name in fit.summary()
    assert "<table" in fit._repr_html_()
    assert pickle.loads(pickle.dumps(fit)).params.equals(fit.params)
    assert fit.plot() is not None
