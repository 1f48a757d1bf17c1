r"""How sure a threshold is: profiles, calibrated by simulation, and the spread over runs.

The profile of the squares over the threshold is

.. math:: R(\eta) = m \log \frac{\mathrm{RSS}(\eta)}{\min_\eta \mathrm{RSS}(\eta)}

and the interval holds the thresholds with R below a cutoff. For a corner that would be chi-square's
3.84; for a step it is not, nor for a power below 1/2, nor where errors hang together. So the cutoff
is the quantile of R at the fitted threshold, over scores drawn from the fit itself.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from emergekit.emergence.one_curve import OneCurve
from emergekit.emergence.thresholds.forms import scan_of
from emergekit.emergence.thresholds.scans import least_squares, scan_profile

__all__ = [
    "Interval",
    "bootstrap_interval",
    "drawn_errors",
    "lag_one",
    "profile_interval",
    "spread_interval",
]

Array: TypeAlias = NDArray[np.float64]
Errors: TypeAlias = Literal["independent", "courses", "blocks"]

_MOST_CORRELATED = 0.95


class Interval(NamedTuple):
    """Ends in units of u, how they were found, and the middle that belongs to them."""

    middle: float
    lower: float
    upper: float
    method: str


def lag_one(curve: OneCurve, rest: Array) -> float:
    """Return the correlation of neighbours of one run, corrected for having been fitted; from 0.

    The correction, 4 over the rows of a run, is that of Marriott & Pope 1954 for four parameters.
    """
    if not curve.units.along_training:
        return 0.0
    along, codes = rest[curve.turns], curve.units.codes[curve.turns]
    same = codes[1:] == codes[:-1]
    squares = float(along @ along)
    if not squares > 0 or not same.any():
        return 0.0
    raw = float((along[1:] * along[:-1])[same].sum()) / squares
    return float(np.clip(raw + 4 * len(curve.units.names) / len(rest), 0.0, _MOST_CORRELATED))


def drawn_errors(
    curve: OneCurve, rest: Array, errors: Errors, n_draws: int, rng: np.random.Generator
) -> Array:
    """Return errors like these residuals, shape (n_draws, n): normal, autoregressive or in blocks.

    Every run has a course of its own; blocks never reach over its end.
    """
    n = len(rest)
    if errors == "independent":
        return np.asarray(rest.std() * rng.standard_normal((n_draws, n)))
    rho = lag_one(curve, rest)
    drawn = np.empty((n_draws, n))
    codes = curve.units.codes[curve.turns]
    for code in range(len(curve.units.names)):
        places = curve.turns[codes == code]
        if errors == "courses":
            drawn[:, places] = rest.std() * _autoregressive(len(places), rho, n_draws, rng)
        else:
            drawn[:, places] = _blocks(rest[places], rho, n_draws, rng)
    return drawn


def profile_interval(
    curve: OneCurve,
    form: str,
    floor: float,
    n_parameters: int,
    level: float,
    errors: Errors,
    n_draws: int,
    rng: np.random.Generator,
) -> Interval:
    """Return the calibrated profile interval of a threshold."""
    scanned, even = scan_of(curve, form, floor), np.ones(len(curve.u))
    known = None if np.isnan(floor) else floor
    left, levels, rises = least_squares(scanned, curve.better, even, known)
    best = int(np.argmin(left[0]))
    fitted = levels[0, best] + rises[0, best] * scanned.columns[best]
    n = len(curve.u)
    rest = (curve.better - fitted) * np.sqrt(n / max(n - n_parameters, 1))
    simulated = fitted + drawn_errors(curve, rest, errors, n_draws, rng)
    again = least_squares(scanned, simulated, even, known)[0]
    etas, profile = scan_profile(scanned, left)
    _, profiles = scan_profile(scanned, again)
    truth = int(np.searchsorted(etas, scanned.eta[best]))
    ratio = _log_ratio(profiles[:, truth], profiles.min(axis=1))
    cutoff = float(np.quantile(ratio, level))
    kept = np.flatnonzero(_log_ratio(profile[0], profile[0].min()) <= cutoff)
    # What lies between the last threshold inside and the first outside is not known to be out.
    lower, upper = etas[max(kept[0] - 1, 0)], etas[min(kept[-1] + 1, len(etas) - 1)]
    method = {"independent": "profile", "courses": "profile", "blocks": "blocks"}[errors]
    return Interval(float(scanned.eta[best]), float(lower), float(upper), method)


def bootstrap_interval(
    curve: OneCurve, form: str, floor: float, level: float, n_draws: int, rng: np.random.Generator
) -> Interval:
    """Return percentiles of the threshold over resampled runs."""
    scanned = scan_of(curve, form, floor)
    n_runs = len(curve.units.names)
    counts = rng.multinomial(n_runs, np.full(n_runs, 1 / n_runs), n_draws).astype(float)
    weights = np.vstack([np.ones(len(curve.u)), counts[:, curve.units.codes]])
    known = None if np.isnan(floor) else floor
    left = least_squares(scanned, curve.better, weights, known)[0]
    etas = scanned.eta[left.argmin(axis=1)]
    ends = np.quantile(etas[1:], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(etas[0]), float(ends[0]), float(ends[1]), "runs")


def spread_interval(etas: Array, level: float) -> Interval:
    """Return Student's interval of the mean threshold over runs."""
    middle, n = float(etas.mean()), len(etas)
    reach = float(student.ppf((1 + level) / 2, n - 1) * etas.std(ddof=1) / np.sqrt(n))
    return Interval(middle, middle - reach, middle + reach, "spread")


def _autoregressive(n: int, rho: float, n_draws: int, rng: np.random.Generator) -> Array:
    shocks = rng.standard_normal((n_draws, n))
    shocks[:, 1:] *= np.sqrt(1 - rho**2)
    for place in range(1, n):
        shocks[:, place] += rho * shocks[:, place - 1]
    return np.asarray(shocks)


def _blocks(rest: Array, rho: float, n_draws: int, rng: np.random.Generator) -> Array:
    """Return moving blocks, as long as suits autoregressive errors (Politis & White 2004)."""
    n = len(rest)
    wanted = np.ceil((2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3))
    length = int(np.clip(wanted, 1, max(n // 4, 1)))
    starts = rng.integers(0, n - length + 1, (n_draws, -(-n // length)))
    places = (starts[:, :, None] + np.arange(length)).reshape(n_draws, -1)[:, :n]
    return np.asarray((rest - rest.mean())[places])


def _log_ratio(left: Array, least: Array) -> Array:
    tiny = 1e-300
    return np.asarray(np.log(np.maximum(left, tiny) / np.maximum(least, tiny)))
