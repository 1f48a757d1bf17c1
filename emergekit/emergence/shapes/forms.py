"""Step, line, logistic or constant: which form the counts of a curve support.

Every form is fitted by the binomial likelihood of the right answers at each scale and compared by
BIC. A logistic that is steep enough is a step, so a few scales often cannot tell the two apart;
"not identifiable" is then the answer. Nothing here needs the Gaussian AICc, whose correction alone
is 40 for a step over six scales.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TypeAlias, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from emergekit.emergence.counts import checked_counts, curve_counts, log_likelihood
from emergekit.emergence.shapes.logistic import fit_logistic

__all__ = [
    "DECISIVE",
    "FormVerdict",
    "compare_forms",
    "curve_form",
    "form_verdict",
]

Array: TypeAlias = NDArray[np.float64]

DECISIVE = 6.0
"""Difference of BIC from which one form is preferred: "strong" in Kass & Raftery 1995, table 1."""


class _Form(TypedDict):
    """One form at its largest likelihood."""

    form: str
    n_parameters: int
    log_likelihood: float
    bic: float
    low: float
    high: float
    midpoint: float
    slope: float


class FormVerdict(TypedDict):
    """The form that the counts support, with the evidence for it."""

    form: str | None
    reason: str
    bic_step_less_smooth: float


def compare_forms(
    x: ArrayLike, n_correct: ArrayLike, n_examples: ArrayLike, chance: float = 0.0
) -> pd.DataFrame:
    r"""Return four forms of a curve, each at its largest binomial likelihood.

    .. math:: \log L = \sum_i \log \binom{n_i}{k_i} p_i^{k_i} (1 - p_i)^{n_i - k_i}, \qquad
              \mathrm{BIC} = -2 \log L + q \ln m

    constant: one p. step: two levels and a split. line: :math:`\sigma(a + b x)`, a line in the
    logit. logistic: :math:`c + (1 - c)\,\sigma(a + b x)`, which rises from chance.

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, usually log10 of a size.
    n_correct, n_examples : array, shape (m,)
        Right answers k and test size n at each scale, in examples.
    chance : float
        Score of guessing, c, from 0 to below 1; NaN if unknown, which leaves the logistic out. With
        0 the logistic is the line.

    Returns
    -------
    DataFrame
        One row a form: form, n_parameters (q), log_likelihood (nats, binomial coefficients
        included), bic, bic_difference (to the lowest), low and high (levels), midpoint (in units of
        x), slope (of the logit, per unit of x). The BIC counts scales, m, not examples.

    Raises
    ------
    ValueError
        If the scales do not rise, a count is impossible, or chance lies outside [0, 1).

    References
    ----------
    Schwarz 1978 for BIC; the four forms are ours (spec/metrics.md, section 2).

    Examples
    --------
    >>> rows = compare_forms(range(6), [60, 65, 58, 70, 66, 200], [250] * 6, chance=0.25)
    >>> rows.set_index("form")["log_likelihood"].round(2).to_dict()
    {'constant': -150.32, 'step': -17.99, 'line': -83.8, 'logistic': -17.95}
    """
    x, k, n = checked_counts(x, n_correct, n_examples)
    _check_chance(chance)
    rows = [_constant(k, n), _step(x, k, n), *reversed(_smooth_forms(x, k, n, chance))]
    table = pd.DataFrame(rows)
    table.insert(4, "bic_difference", table["bic"] - table["bic"].min())
    return table


def form_verdict(
    x: ArrayLike, n_correct: ArrayLike, n_examples: ArrayLike, chance: float = 0.0
) -> FormVerdict:
    """Return the form that the counts support, or "not identifiable".

    "constant", unless another form has a BIC lower by 6 or more. Then the step against the better
    of line and logistic: a difference of BIC below 6 is "not identifiable"; otherwise the lower
    one, but a step only where no scale lies inside the transition, that is where giving one scale
    a level of its own between the two does not lower the BIC.

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, usually log10 of a size.
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    chance : float
        Score of guessing, from 0 to below 1, or NaN if unknown.

    Returns
    -------
    dict
        form: "step", "logistic", "line", "constant" or "not identifiable"; reason, a sentence;
        bic_step_less_smooth, positive where the smooth form is the better one. A "step" is one at
        the spacing of the scales: a logistic narrower than their gap looks the same.

    Raises
    ------
    ValueError
        As `compare_forms`.

    Examples
    --------
    >>> form_verdict(range(6), [60, 65, 58, 70, 66, 200], [250] * 6, chance=0.25)["form"]
    'not identifiable'
    >>> form_verdict(range(6), [60, 75, 95, 120, 150, 200], [250] * 6, chance=0.25)["form"]
    'logistic'
    """
    x, k, n = checked_counts(x, n_correct, n_examples)
    _check_chance(chance)
    step = _step(x, k, n)
    best = min(_smooth_forms(x, k, n, chance), key=itemgetter("bic"))
    gap = step["bic"] - best["bic"]
    gain = _constant(k, n)["bic"] - min(step["bic"], best["bic"])
    if gain < DECISIVE:
        form, reason = "constant", f"no form has a BIC lower than the constant's by {DECISIVE:g}"
    elif abs(gap) < DECISIVE:
        form, reason = (
            "not identifiable",
            f"step and {best['form']} differ by {abs(gap):.1f} in BIC",
        )
    elif gap > 0:
        form, reason = best["form"], f"its BIC is {gap:.1f} below that of the step"
    elif _scale_inside(k, n, step):
        form, reason = "not identifiable", "a scale lies inside the transition of the step"
    else:
        form, reason = "step", f"its BIC is {-gap:.1f} below that of the {best['form']}"
    return {"form": form, "reason": reason, "bic_step_less_smooth": gap}


def curve_form(
    curve: pd.DataFrame, x: str = "n_params", chance: float | None = None
) -> FormVerdict:
    """Return the form that one curve of a table of results supports.

    Parameters
    ----------
    curve : DataFrame
        `RESULTS` rows of one curve, with the column `x`.
    x : str
        Column of scale; its log10 is used, for a loss its negative.
    chance : float, optional
        Score of guessing; the column `chance` if None.

    Returns
    -------
    dict
        As `form_verdict`; form is None, and reason says why, where the scores are no counts.

    Raises
    ------
    TableError
        As `curve_counts`.

    Examples
    --------
    >>> curve = pd.DataFrame({"n_params": [1e7, 1e8, 1e9], "score": [0.2, 0.3, 0.9]})
    >>> curve_form(curve)["reason"]
    'n_examples is unknown'
    """
    counts = curve_counts(curve, x, chance)
    if counts["reason"] or len(counts["scale"]) < 2:
        reason = counts["reason"] or "one scale has no form"
        return {"form": None, "reason": reason, "bic_step_less_smooth": np.nan}
    return form_verdict(
        counts["scale"], counts["n_correct"], counts["n_examples"], counts["chance"]
    )


def _check_chance(chance: float) -> None:
    if not (np.isnan(chance) or 0 <= chance < 1):
        raise ValueError(f"chance must be a share from 0 to below 1, or NaN; it is {chance:g}.")


def _row(
    form: str, q: int, log_l: float, m: int, levels: tuple[float, float, float, float]
) -> _Form:
    low, high, midpoint, slope = levels
    return {
        "form": form,
        "n_parameters": q,
        "log_likelihood": log_l,
        "bic": float(-2 * log_l + q * np.log(m)),
        "low": low,
        "high": high,
        "midpoint": midpoint,
        "slope": slope,
    }


def _constant(k: Array, n: Array) -> _Form:
    p = float(k.sum() / n.sum())
    return _row("constant", 1, float(log_likelihood(k, n, p)), len(k), (p, p, np.nan, 0.0))


def _step(x: Array, k: Array, n: Array) -> _Form:
    """Return the best two levels; of equally good splits, the first."""
    splits = _splits(k, n)
    s = 1 + int(np.argmax(splits >= splits.max() - 1e-9))
    low, high = float(k[:s].sum() / n[:s].sum()), float(k[s:].sum() / n[s:].sum())
    log_l = float(log_likelihood(k, n, np.repeat([low, high], [s, len(k) - s])))
    return _row("step", 3, log_l, len(k), (low, high, float(x[s - 1] + x[s]) / 2, np.inf))


def _splits(k: Array, n: Array) -> Array:
    """Return the likelihood of every split into two levels, binomial coefficients left out."""
    below, n_below = np.cumsum(k)[:-1], np.cumsum(n)[:-1]
    return _level(below, n_below) + _level(k.sum() - below, n.sum() - n_below)


def _level(k: Array, n: Array) -> Array:
    p = k / n
    return np.asarray(xlogy(k, p) + xlog1py(n - k, -p))


def _scale_inside(k: Array, n: Array, step: _Form) -> bool:
    """Return whether one scale with a level of its own between the two lowers the BIC.

    This is what a logistic becomes as its width shrinks: at most one scale is on the way up.
    """
    inner = slice(1, len(k) - 1)
    below, n_below = np.cumsum(k) - k, np.cumsum(n) - n
    above, n_above = k.sum() - below - k, n.sum() - n_below - n
    low, middle, high = below[inner] / n_below[inner], (k / n)[inner], above[inner] / n_above[inner]
    between = (np.minimum(low, high) < middle) & (middle < np.maximum(low, high))
    if not between.any():
        return False
    three = (
        _level(below[inner], n_below[inner])
        + _level(k[inner], n[inner])
        + _level(above[inner], n_above[inner])
    )
    return bool(2 * (three[between].max() - _splits(k, n).max()) > np.log(len(k)))


def _smooth_forms(x: Array, k: Array, n: Array, chance: float) -> list[_Form]:
    """Return logistic and line; the logistic first, so that it wins the tie at chance 0."""
    line = _smooth(x, k, n, 0.0)
    if np.isnan(chance):
        return [line]
    logistic = _smooth(x, k, n, chance) if chance > 0 else line
    return [{**logistic, "form": "logistic"}, line]


def _smooth(x: Array, k: Array, n: Array, floor: float) -> _Form:
    log_l, midpoint, slope = fit_logistic(x, k, n, floor)
    return _row("line", 2, log_l, len(k), (floor, 1.0, midpoint, slope))
