import sys
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import emergekit as ek
from emergekit.errors import (
    FitError,
    FitWarning,
    LoadError,
    TableError,
    kind_of,
    nearest,
    no_frame,
    shown,
    unknown,
)

PLAIN = pd.DataFrame({"model": ["a"], "task": "t", "metric": "acc", "score": 0.5})


def test_errors_are_what_a_caller_of_builtins_expects():
    assert issubclass(TableError, ValueError)
    assert issubclass(LoadError, TableError)
    assert issubclass(FitError, ValueError)
    assert issubclass(FitWarning, UserWarning)


def test_the_nearest_name_is_found_whatever_its_case():
    assert nearest("SCORE", ["model", "score"]) == "score"
    assert nearest("n_parms", ["n_params", "n_tokens"]) == "n_params"
    assert nearest("zebra", ["model", "score"]) is None


def test_an_unknown_name_comes_with_the_known_ones():
    assert unknown("metric", "bleu", ["acc"]) == "Unknown metric 'bleu'. Known: acc."


def test_long_text_is_cut_in_messages():
    assert len(shown("x" * 1000)) < 70


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "not dict; make one with pandas.DataFrame(...)."),
        (None, "not NoneType; make one with pandas.DataFrame(...)."),
        (np.zeros(2), "not numpy.ndarray; make one with pandas.DataFrame(...)."),
        (pa.table({"a": [1]}), "not pyarrow.Table; convert it with .to_pandas()."),
        (pd.Series([1]), "not pandas.Series; convert it with .to_frame()."),
    ],
)
def test_what_is_no_frame_is_named_with_how_to_convert_it(value, said):
    assert no_frame(value) == f"expected a pandas DataFrame, {said}"


def test_a_frame_of_dask_is_named_as_it_is_imported():
    dask = pytest.importorskip("dask.dataframe", reason="the extra 'distributed' is not installed")
    said = no_frame(dask.from_pandas(PLAIN, npartitions=1))
    assert said.endswith("not dask.dataframe.DataFrame; convert it with .compute().")


@pytest.mark.parametrize(
    ("name", "method", "remedy"),
    [
        ("DataFrame", "to_pandas", ".to_pandas()"),
        ("LazyFrame", "collect", ".collect().to_pandas()"),
    ],
)
def test_a_frame_of_polars_is_named_as_it_is_imported(monkeypatch, name, method, remedy):
    # polars is no extra of ours: a class that lies where its classes do will do.
    kind = type(name, (), {method: lambda self: None, "__module__": "polars.frame.deep"})
    library = types.ModuleType("polars")
    setattr(library, name, kind)
    monkeypatch.setitem(sys.modules, "polars", library)
    assert kind_of(kind()) == f"polars.{name}"
    assert no_frame(kind()).endswith(f"not polars.{name}; convert it with {remedy}.")


@pytest.mark.parametrize(
    "call",
    [
        lambda t: ek.validate(t, ek.RESULTS),
        lambda t: ek.join_models(t, pd.DataFrame({"model": ["a"]})),
        lambda t: ek.join_models(PLAIN, t),
        lambda t: ek.Tables(results=t),
        lambda t: ek.fit(ek.laws.CHINCHILLA, t),
        lambda t: ek.curve_shapes(t, x="n_params"),
    ],
)
def test_every_verb_says_so(call):
    with pytest.raises(TableError, match=r"not pyarrow\.Table; convert it with \.to_pandas\(\)"):
        call(pa.Table.from_pandas(PLAIN))


def test_samples_of_dask_are_no_batches():
    dask = pytest.importorskip("dask.dataframe", reason="the extra 'distributed' is not installed")
    samples = dask.from_pandas(pd.DataFrame({"prediction": ["1"], "target": ["1"]}), npartitions=1)
    for score in (ek.rescore, ek.metrics.score_samples):
        with pytest.raises(TableError, match=r"not dask.*convert it with \.compute"):
            score(samples, "exact_match")


def test_a_table_in_memory_is_not_loaded():
    with pytest.raises(LoadError, match=r"not pandas\.DataFrame \(a table in memory is used as it"):
        ek.load(PLAIN)
