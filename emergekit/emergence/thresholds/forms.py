"""Fit the forms that a curve over loss may have, thresholds and smooth ones, to the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit import laws
from emergekit.emergence.one_curve import OneCurve
from emergekit.emergence.shapes.width_profile import WIDTHS_PER_W
from emergekit.emergence.thresholds.scans import (
    RISES,
    Scan,
    best_of,
    scan,
    threshold_range,
    thresholds_of,
)
from emergekit.errors import FitWarning
from emergekit.fitting import Fit, fit
from emergekit.laws import Law
from emergekit.laws.axis import direction

__all__ = ["FORMS", "FormFit", "fit_form", "scan_of"]

Array: TypeAlias = NDArray[np.float64]

FORMS: Mapping[str, Callable[..., Law]] = MappingProxyType(
    {
        "linear": laws.linear,
        "quadratic": laws.quadratic,
        "logistic": laws.logistic,
        "softplus_hinge": laws.softplus_hinge,
        "hinge": laws.hinge,
        "power_hinge": laws.power_hinge,
        "step": laws.step,
    }
)
"""The forms, by the names of their laws; smooth ones first."""

_LEVEL = {"logistic": "low"}
_NEAR = 1 / 60  # of the range: how far the solver may move the threshold that a scan found


class FormFit(NamedTuple):
    """One form on one curve.

    `squares` are those that are left, `deviance` what `fit` minimised, twice; `width` is the 10-90
    % width of the transition in units of u, 0 for a corner, NaN where there is none to speak of.
    """

    form: str
    floor: float
    fit: Fit
    n_parameters: int
    squares: float
    deviance: float
    eta: float
    shape: float
    width: float

    @property
    def held(self) -> bool:
        """Return whether the level is held at chance."""
        return not np.isnan(self.floor)


def scan_of(curve: OneCurve, form: str, floor: float) -> Scan:
    """Return the columns of a form over thresholds, finer around the best one."""
    known, even = _level(floor), np.ones(len(curve.u))
    coarse = scan(form, curve.u, thresholds_of(curve.u, form))
    best = best_of(coarse, curve.better, even, known)[0]
    return scan(form, curve.u, thresholds_of(curve.u, form, float(coarse.eta[best])))


def fit_form(curve: OneCurve, form: str, floor: float, binomial: bool) -> FormFit:
    """Return one form fitted by `ek.fit`, with its level held at `floor` unless that is NaN.

    A scan over all thresholds finds the valley, the solver its floor: the squares have a minimum in
    nearly every gap between models.
    """
    law = FORMS[form](curve.x, "score", curve.axis)
    options: dict[str, Any] = {}
    if binomial:
        options |= {"objective": "binomial", "weights": curve.n_examples}
    fixed = {} if np.isnan(floor) else {_LEVEL.get(form, "c"): curve.sign * floor}
    if form in RISES and form != "logistic":
        found = _at_threshold(law, curve, form, floor, fixed, options)
    else:
        found = _quiet(law, curve, fixed=fixed, **options)
    rest = curve.better - curve.sign * found.law.predict(curve.rows, found.params)
    return FormFit(
        form=form,
        floor=floor,
        fit=found,
        n_parameters=len(law.names) - len(fixed),
        squares=float(rest @ rest),
        deviance=2 * float(found.stats["objective_value"].iloc[0]),
        eta=direction(curve.axis) * float(found.params.get("eta", found.params.get("x0", np.nan))),
        shape=_shape(form, found),
        width=_width(form, found),
    )


def _at_threshold(
    law: Law, curve: OneCurve, form: str, floor: float, fixed: dict[str, float], options: Any
) -> Fit:
    """Return the fit of a form with a threshold, near the best of the scan."""
    scanned = scan_of(curve, form, floor)
    best, least, _, _ = best_of(scanned, curve.better, np.ones(len(curve.u)), _level(floor))
    eta, towards = float(scanned.eta[best]), direction(curve.axis)
    held = fixed | {"eta": towards * eta}
    if form == "step":  # nothing changes between two models, so no gradient finds it
        return _quiet(law, curve, fixed=held, **options)
    reach, (low, high) = _NEAR * float(np.ptp(curve.u)), threshold_range(curve.u, form)
    ends = sorted((towards * max(eta - reach, low), towards * min(eta + reach, high)))
    found = _quiet(law, curve, fixed=fixed, bounds={"eta": (ends[0], ends[1])}, **options)
    if not options and 2 * float(found.stats["objective_value"].iloc[0]) > least * (1 + 1e-6):
        other = _quiet(law, curve, fixed=held, **options)
        values = [float(one.stats["objective_value"].iloc[0]) for one in (found, other)]
        return other if values[1] < values[0] else found
    return found


def _quiet(law: Law, curve: OneCurve, **options: Any) -> Fit:
    """Return a fit without its warnings: forms that do not suit a curve are many, and expected."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", FitWarning)
        return fit(law, curve.rows, response="score", **options)


def _shape(form: str, found: Fit) -> float:
    name = {"power_hinge": "q", "softplus_hinge": "w"}.get(form)
    if form == "logistic":
        return 1 / float(found.params["k"]) if found.params["k"] > 0 else np.inf
    return float(found.params[name]) if name else np.nan


def _width(form: str, found: Fit) -> float:
    if form in ("hinge", "power_hinge", "step"):
        return 0.0
    return WIDTHS_PER_W * _shape(form, found) if form in ("logistic", "softplus_hinge") else np.nan


def _level(floor: float) -> float | None:
    return None if np.isnan(floor) else floor
