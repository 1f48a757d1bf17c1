"""The section on a fitted law: quality, parameters, warnings explained, predictions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emergekit import laws
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import Fit, fit
from emergekit.plots.axes import panels
from emergekit.plots.fits import plot_fit, plot_residuals
from emergekit.reporting.section import Note, Section, Sheet
from emergekit.reporting.words import counted

__all__ = ["fit_quietly", "fit_section", "law_sections"]

# Laws that hold for training runs as they come. Others need to be asked for: a power law in
# compute holds for compute-optimal runs only, which a table does not say of itself.
_OF_RUNS = (laws.CHINCHILLA,)
_TOKENS_PER_PARAM = 20
_DECADES = 6
_CAPTION = (
    "Left: observed against predicted, with the line of agreement and the intervals that aim at "
    "95 % of new rows. Right: what the law leaves over, with one standard deviation."
)


def law_sections(models: pd.DataFrame, notes: list[Note]) -> list[Section]:
    """Return one section for every law of training runs whose columns the models fill."""
    sections = []
    for law in _OF_RUNS:
        names = [*law.variables, law.response]
        if not set(names) <= set(models):
            continue
        try:
            result = fit_quietly(law, models.dropna(subset=names))
        except (TableError, FitError) as error:
            notes.append(("warning", "", law.name, f"not fitted: {error}"))
            continue
        values = ", ".join(f"{name} {value:.4g}" for name, value in result.params.items())
        sections.append(
            fit_section(
                result,
                name=f"fit-{law.name}",
                title=f"Law {law.name} on {counted(len(result.data), 'model')}",
                line=(f"{law.name} fit", values),
            )
        )
    return sections


def fit_quietly(law: laws.Law, runs: pd.DataFrame) -> Fit:
    """Return a fit without its warning, which the page prints beside the fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(law, runs)


def fit_section(
    result: Fit,
    *,
    name: str,
    title: str,
    line: tuple[str, str],
    figure: Figure | None = None,
    caption: str = "",
) -> Section:
    """Return the section on a fit, drawn against its residuals unless a figure is given."""
    if figure is None:
        figure, caption = _figure(result), _CAPTION
    sheets = [Sheet(name, result.to_frame(), caption="Parameters, with 95 % intervals.")]
    predictions = _predictions(result)
    if predictions is not None:
        sheets.append(Sheet(f"{name}-predictions", predictions, caption=_said(result)))
    words = (f"{result.law.formula or result.law.name} ({result.law.reference}).", _quality(result))
    return Section(
        name, title, (*words, *_warnings(result)), tuple(sheets), figure, caption, lines=(line,)
    )


def _quality(result: Fit) -> str:
    stats = result.stats.iloc[0]
    unit = " nats per token" if stats["response"] == "loss" else ""
    search = (
        f"the search converged, and {stats['n_starts_agree']} of {stats['n_starts']} starts agree"
        if stats["converged"]
        else "the search stopped before it converged, so read the numbers with care"
    )
    return (
        f"RMSE {stats['rmse']:.3g}{unit} in {stats['response']} over "
        f"{counted(int(stats['n_rows']), 'row')}, objective {stats['objective']}; {search}."
    )


def _warnings(result: Fit) -> list[str]:
    """Return the warnings of a fit, those on correlated parameters with what follows from them."""
    pairs = [
        pair.split("-") for pair in str(result.stats["correlated"].iloc[0]).split(", ") if pair
    ]
    if not pairs:
        return [_sentence(warning) for warning in result.warnings]
    said = [_sentence(warning) for warning in result.warnings if "are correlated" not in warning]
    names = ", and of ".join(" and ".join(pair) for pair in pairs)
    values = [warning.split(";")[0] for warning in result.warnings if "are correlated" in warning]
    return [
        *said,
        f"Quote intervals of {names} together: {', '.join(values)}, so a larger value of the one "
        "with a matching value of the other fits these rows as well, and neither interval says "
        "much alone.",
    ]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _predictions(result: Fit) -> pd.DataFrame | None:
    """Return predictions for round sizes, a decade beyond the rows; None without a scale."""
    first, *others = result.law.variables
    x = result.data[first]
    if not x.gt(0).all():
        return None
    start = int(np.floor(np.log10(x.min())))
    stop = int(np.ceil(np.log10(x.max()))) + 1
    powers = np.arange(max(start, stop - _DECADES + 1), stop + 1)
    table = pd.DataFrame({first: 10.0**powers})
    for name in others:
        by_size = (first, name) == ("n_params", "n_tokens")
        table[name] = (
            _TOKENS_PER_PARAM * table[first] if by_size else float(result.data[name].median())
        )
    ends = result.data[list(result.law.variables)].agg(["min", "max"])
    inside = ((table >= ends.loc["min"]) & (table <= ends.loc["max"])).all(axis=1)
    return table.join(result.predict(table)).assign(
        within_rows=inside.map({True: "yes", False: "no"})
    )


def _said(result: Fit) -> str:
    first, *others = result.law.variables
    fixed = (
        f"at {_TOKENS_PER_PARAM} tokens a parameter"
        if (first, *others) == ("n_params", "n_tokens")
        else f"at the median {' and '.join(others)}"
    )
    where = f"Predictions for round {first}{f', {fixed}' if others else ''}"
    return f"{where}; the interval aims at 95 % of new rows, and holds within the rows at most."


def _figure(result: Fit) -> Figure:
    figure, (left, right) = panels(1, 2, width=4.4, height=3.9)
    plot_fit(result, ax=left)
    plot_residuals(result, ax=right)
    right.legend(frameon=False, loc="best", fontsize="small")
    return figure
