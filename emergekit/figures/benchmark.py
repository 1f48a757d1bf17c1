"""Scaling laws on the 92 curves of the extrapolation benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from emergekit import datasets, laws
from emergekit.compute import Engine, run
from emergekit.errors import unknown
from emergekit.fitting import (
    extrapolate,
    extrapolation_errors,
    flagged,
    leave_largest_out,
    select_law,
)
from emergekit.laws import Law
from emergekit.plots.axes import GREY, colours, panels

__all__ = ["curve_errors", "extrapolation", "wins"]

_CURVE = ["domain", "task", "model"]
_OBJECTIVE = "least_squares_log"
_KNOWN = {
    "M1": laws.m1("x"),
    "M2": laws.m2("x"),
    "M3": laws.m3("x"),
    "M4": laws.m4("x"),
    "BNSL": laws.broken_power_law(1, "x"),
}
_CHOSEN = "chosen"
_DOMAINS = {
    "IC": "image classification",
    "NMT": "translation",
    "LM": "language modelling",
    "BB": "BIG-bench",
}
_DIGITS = 3
"""Decimals to which the authors cut an error before they say who won."""


def extrapolation(
    domains: Sequence[str] | None = None, engine: Engine = "serial"
) -> tuple[Figure, pd.DataFrame]:
    """Return how far five scaling laws miss the later part of 92 learning curves.

    Every law is fitted to the rows to fit of each curve by least squares of log loss, without
    transforming the response as the authors of M2 and M4 do, and scored on the later rows. "chosen"
    takes for each curve the law that `select_law` chooses by holding out the last fifth of the rows
    to fit; it never sees the rows it is scored on.

    Parameters
    ----------
    domains : sequence of str, optional
        Of "IC", "NMT", "LM" and "BB"; all four if None, which takes minutes.
    engine : {"serial", "processes", "dask"}
        As in `compute.run`; the numbers are the same.

    Returns
    -------
    Figure
        The errors of all curves by law, one panel a domain, with their mean.
    DataFrame
        One row a domain and law: n_curves, mean_error and median_error (of root mean squares of
        ln predicted - ln observed), win_share (of curves won among the five laws, see `wins`; NaN
        for "chosen"), and best_share (of curves on which no law did better, ties counted in full).

    References
    ----------
    Alabdulmohsin, Neyshabur & Zhai 2022, for curves, M1 to M4 and the score; Caballero et al. 2022
    for BNSL, here with one break.
    """
    errors = curve_errors(domains, engine)
    table = _by_domain(errors)
    names = list(dict.fromkeys(errors["domain"]))
    figure, axes = panels(1, len(names), width=3.3, height=3.4, sharey=True)
    for ax, name in zip(axes, names, strict=True):
        _dots(ax, errors[errors["domain"] == name])
        ax.set_title(_DOMAINS[name], loc="left", fontsize="medium")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[0].legend(handles[:1], labels[:1], frameon=False, loc="upper left", fontsize="small")
    return figure, table


def curve_errors(domains: Sequence[str] | None = None, engine: Engine = "serial") -> pd.DataFrame:
    """Return the error of each law on each curve.

    Parameters
    ----------
    domains, engine
        As in `extrapolation`.

    Returns
    -------
    DataFrame
        One row a curve and law: domain, task, model, law ("M1" to "M4", "BNSL", "chosen"), log_rmse
        (root mean square of ln predicted - ln observed on the rows to predict), converged, and
        taken, the law behind "chosen".

    Raises
    ------
    ValueError
        If a domain is unknown.
    """
    known = list(_DOMAINS) if domains is None else list(domains)
    for name in known:
        if name not in _DOMAINS:
            raise ValueError(unknown("domain", name, _DOMAINS))
    curves = datasets.load_extrapolation_benchmark()
    groups = [
        curve
        for name in known
        for _, curve in curves[curves["domain"] == name].groupby(_CURVE, sort=False)
    ]
    parts: list[pd.DataFrame] = run(_errors_of, groups, engine=engine)
    return pd.concat(parts, ignore_index=True)


def wins(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of each curve with which law won it.

    Errors are cut to three decimals first, as the authors do, and those that tie share the win.

    Parameters
    ----------
    errors : DataFrame
        What `curve_errors` returns; leave out rows of a law to decide without it.

    Returns
    -------
    DataFrame
        The same with win: 1, a share of it, or 0.

    Examples
    --------
    >>> errors = pd.DataFrame({"law": ["M1", "M2", "M3"], "log_rmse": [0.0129, 0.0121, 0.05]})
    >>> wins(errors.assign(domain="IC", task="t", model="m"))["win"].tolist()
    [0.5, 0.5, 0.0]
    """
    cut = _cut(errors["log_rmse"])
    keys = [errors[name] for name in _CURVE]
    least = cut.groupby(keys).transform("min")
    first = (cut == least).astype(float)
    return errors.assign(win=first / first.groupby(keys).transform("sum"))


def _by_domain(errors: pd.DataFrame) -> pd.DataFrame:
    won = wins(errors[errors["law"] != _CHOSEN]).set_index([*_CURVE, "law"])["win"]
    cut = _cut(errors["log_rmse"])
    best = cut == cut.groupby([errors[name] for name in _CURVE]).transform("min")
    joined = errors.assign(best=best).join(won, on=[*_CURVE, "law"])
    return (
        joined.groupby(["domain", "law"], sort=False)
        .agg(
            n_curves=("log_rmse", "size"),
            mean_error=("log_rmse", "mean"),
            median_error=("log_rmse", "median"),
            win_share=("win", "mean"),
            best_share=("best", "mean"),
        )
        .reset_index()
    )


def _cut(errors: pd.Series) -> pd.Series:
    return errors.mul(10**_DIGITS).floordiv(1)


def _errors_of(curve: pd.DataFrame) -> pd.DataFrame:
    known = {law.name: name for name, law in _KNOWN.items()}
    held_out = extrapolate(list(_KNOWN.values()), curve, flagged(), objective=_OBJECTIVE)
    found = extrapolation_errors(held_out, "law").set_index("law")
    converged = held_out.groupby("law")["converged"].first()
    rows = [
        {"law": name, "log_rmse": found.loc[law, "log_rmse"], "converged": converged[law]}
        for law, name in known.items()
    ]
    taken = _taken(curve[curve["is_fit"]], list(_KNOWN.values()))
    chosen = next(row for row in rows if row["law"] == known[taken])
    rows.append({**chosen, "law": _CHOSEN, "taken": known[taken]})
    first = {name: curve[name].iloc[0] for name in _CURVE}
    return pd.DataFrame(rows).assign(**first)[[*_CURVE, "law", "log_rmse", "converged", "taken"]]


def _taken(rows: pd.DataFrame, known: list[Law]) -> str:
    found = select_law(known, rows, leave_largest_out(by="x"), objective=_OBJECTIVE)
    return str(found.loc[found["chosen"], "law"].iloc[0])


def _dots(ax: Axes, errors: pd.DataFrame) -> None:
    """Draw the error of every curve, one line a law, the first at the top."""
    names = list(dict.fromkeys(errors["law"]))
    rng = np.random.default_rng(0)
    for place, (name, colour) in enumerate(zip(names, colours(len(names)), strict=True)):
        values = errors.loc[errors["law"] == name, "log_rmse"].to_numpy()
        height = -place + rng.uniform(-0.18, 0.18, len(values))
        ax.scatter(values, height, s=12, color=colour, alpha=0.6, linewidths=0)
        ends = [-place - 0.32, -place + 0.32]
        ax.plot([values.mean()] * 2, ends, color="0.2", linewidth=1.6, label="mean")
    for place in range(len(names)):
        ax.axhline(-place, color=GREY, linewidth=0.4, zorder=0)
    ax.set(xscale="log", xlabel="error of ln loss (root mean square)")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks([-place for place in range(len(names))], names)
