"""Threshold or smooth? Forms compared by information and by runs they have not seen."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.one_curve import OneCurve
from emergekit.emergence.shapes.forms import DECISIVE
from emergekit.emergence.thresholds.forms import FormFit, scan_of
from emergekit.emergence.thresholds.scans import RISES, least_squares

__all__ = ["Choice", "choose", "compared", "folds_of", "held_out_errors"]

Array: TypeAlias = NDArray[np.float64]

_FOLDS = 10
_BANDS = 8
_FEWEST = 8  # places below which no threshold is claimed


class Choice(NamedTuple):
    """What the forms say: threshold, smooth or undecided, and the sentence behind it."""

    verdict: str
    reason: str


def compared(
    curve: OneCurve,
    fits: list[FormFit],
    errors: Array,
    binomial: bool,
    n_effective: float,
    width: float,
) -> pd.DataFrame:
    r"""Return one row a form, with the criteria that compare them.

    .. math:: \mathrm{BIC} = \frac{m_e}{m} D + q \log m_e

    D is m log(RSS / m), or the binomial deviance over the dispersion of the form that leaves least;
    m_e is the number of rows that independent errors would have needed to say as much. A form is a
    threshold if its transition is narrow and lies within the scales, three places before it and
    two after: a hinge at an end is a straight line.
    """
    n, reach = len(curve.u), float(np.ptp(curve.u))
    flat = curve.better - curve.better.mean()
    names = ["constant", *(one.form for one in fits)]
    squares = np.array([float(flat @ flat), *(one.squares for one in fits)])
    squares = np.maximum(squares, 1e-28 * squares[0])  # exact rows have no scatter to compare by
    q = np.array([1, *(one.n_parameters for one in fits)])
    lost = n * np.log(squares / n)
    if binomial:
        deviance = np.array([np.nan, *(one.deviance for one in fits)])
        spare = np.maximum(n - q, 1)
        lost = deviance / max(float(np.nanmin(deviance / spare)), 1.0)
        # A constant's deviance was not fitted: its excess over the best form, in the same units.
        lost[0] = np.nanmin(lost) + n * np.log(squares[0] / squares[1:].min())
    scaled = n_effective / n * lost
    spare = n_effective - q - 1
    small = np.where(spare > 0, 2 * q * n_effective / np.where(spare > 0, spare, 1.0), np.inf)
    bic = scaled + q * np.log(n_effective)
    places = np.unique(curve.u)
    inside = np.array([False, *(places[2] <= one.eta <= places[-2] for one in fits)])
    widths = np.array([np.nan, *(one.width for one in fits)])
    table = pd.DataFrame(
        {
            "form": names,
            "base": ["free", *("chance" if one.held else "free" for one in fits)],
            "chance": [np.nan, *(curve.sign * one.floor for one in fits)],
            "kind": np.where(inside & (widths < width * reach), "threshold", "smooth"),
            "n_parameters": q,
            "rmse": np.sqrt(squares / n),
            "bic": bic,
            "bic_difference": bic - bic.min(),
            "aicc": scaled + small,
            "eta": [np.nan, *(curve.value(one.eta) for one in fits)],
            "shape": [np.nan, *(one.shape for one in fits)],
            "width": widths,
        }
    )
    table["held_out_rmse"] = np.sqrt(np.r_[np.nan, errors.mean(axis=1)])
    return table


def folds_of(curve: OneCurve) -> NDArray[np.intp]:
    """Return the part in which each row is held out: whole runs, or bands of u for one run or two.

    Bands are equally wide: a course has most of its rows at its end, where little happens.

    Rows held out at random would be met again in their neighbours. -1 where a row never is: with
    the first or the last band held out, forms would be judged by how they go on without end.
    """
    n_runs = len(curve.units.names)
    if n_runs < 3:
        cuts = np.linspace(curve.u[0], curve.u[-1], _BANDS + 1)[1:-1]
        bands = np.searchsorted(cuts, curve.u)
        return np.where((bands == 0) | (bands == _BANDS - 1), -1, bands).astype(np.intp)
    middles = np.bincount(curve.units.codes, curve.u) / curve.units.counts
    # Neighbours on the axis go to different parts, so that none is a whole end of the curve.
    ranks = np.empty(n_runs, dtype=np.intp)
    ranks[np.argsort(middles, kind="stable")] = np.arange(n_runs)
    return np.asarray(ranks[curve.units.codes] % min(_FOLDS, n_runs))


def held_out_errors(curve: OneCurve, fits: list[FormFit]) -> Array:
    """Return the mean squared error of each form in each part that was held out, (forms, parts)."""
    parts = folds_of(curve)
    shown = (parts != np.unique(parts[parts >= 0])[:, None]).astype(float)  # (F, n)
    errors = np.empty((len(fits), len(shown)))
    for row, one in enumerate(fits):
        predicted = _predicted(curve, one, shown)
        squares = (curve.better - predicted) ** 2 * (1 - shown)
        errors[row] = squares.sum(axis=1) / (1 - shown).sum(axis=1)
    return errors


def choose(table: pd.DataFrame, errors: Array, n_places: int, scored: float) -> Choice:
    """Return the verdict on the forms of `compared`, whose first row is the constant."""
    if scored <= 0 or table["bic"].iloc[1:].min() > table["bic"].iloc[0] - DECISIVE:
        return Choice("undecided", "scores do not rise")
    if n_places < _FEWEST:
        return Choice("undecided", f"{n_places} places are fewer than eight")
    forms = table.iloc[1:].reset_index(drop=True)
    bic, kinds = forms["bic"].to_numpy(), forms["kind"].to_numpy()
    best = {
        kind: int(np.argmin(np.where(kinds == kind, bic, np.inf)))
        for kind in ("threshold", "smooth")
        if (kinds == kind).any()
    }
    if "threshold" not in best:
        return Choice("smooth", "no form turns within the scales")
    if "smooth" not in best:
        return Choice("undecided", "no smooth form was fitted to compare with")
    sharp, smooth = best["threshold"], best["smooth"]
    gap = float(bic[smooth] - bic[sharp])
    names = {kind: _named(forms.iloc[place]) for kind, place in best.items()}
    versus = f"{names['threshold']} against {names['smooth']}: BIC lower by {gap:.1f}"
    if gap < 0:
        versus = f"{names['smooth']} against {names['threshold']}: BIC lower by {-gap:.1f}"
    if abs(gap) < DECISIVE:
        return Choice("undecided", f"{versus}, less than {DECISIVE:g}")
    # Ratios, not differences: one part beside a jump would outweigh all others.
    tiny = 1e-12 * float(errors.max())
    ratio = np.maximum(errors[smooth], tiny) / np.maximum(errors[sharp], tiny)
    apart = np.log(ratio) * np.sign(gap)
    deviation = float(apart.std(ddof=1) / np.sqrt(len(apart)))
    if float(apart.mean()) < deviation:
        return Choice("undecided", f"{versus}, but held-out errors do not tell them apart")
    return Choice("threshold" if gap > 0 else "smooth", versus)


def _named(row: pd.Series) -> str:
    return str(row["form"]).replace("_", " ") + (" from chance" if row["base"] == "chance" else "")


def _predicted(curve: OneCurve, one: FormFit, shown: Array) -> Array:
    """Return the predictions of a form fitted to each set of shown rows, shape (F, n)."""
    if one.form not in RISES:
        degree = 1 if one.form == "linear" else 2
        middle, half = curve.u.mean(), np.ptp(curve.u) / 2
        powers = np.vander((curve.u - middle) / half, degree + 1)
        fitted = [
            np.linalg.lstsq(powers[rows > 0], curve.better[rows > 0], rcond=None)[0]
            for rows in shown
        ]
        return np.stack([powers @ coefficients for coefficients in fitted])
    scanned = scan_of(curve, one.form, one.floor)
    known = one.floor if one.held else None
    left, levels, rises = least_squares(scanned, curve.better, shown, known)
    best, rows = left.argmin(axis=1), np.arange(len(shown))
    return np.asarray(
        levels[rows, best][:, None] + rises[rows, best][:, None] * scanned.columns[best]
    )
