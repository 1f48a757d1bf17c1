"""Smooth rises of a score, along decades of compute or nats of loss."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from emergekit.laws.axis import Axis, Kind, ahead, axis_of, direction, place, variable_at
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line

__all__ = ["chance_logistic", "logistic"]


def sigmoid(
    x: Array, low: Array, high: Array, x0: Array, k: Array, *, axis: Kind = "log10"
) -> Array:
    r"""Return a score that rises from one level to another.

    .. math:: y = y_{low} + \frac{y_{high} - y_{low}}{1 + e^{-k u}}

    Parameters
    ----------
    x : array
        Count, loss or score; u is its distance past x0 (see `Axis`).
    low, high : array
        Levels before and after, in units of the response.
    x0 : array
        Where half of the rise is done: log10 of the variable, or the variable itself.
    k : array
        Slope, per decade or per nat; the rise from 10 to 90 % takes 4.394 / k.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        Between low and high.

    References
    ----------
    The four-parameter logistic (Verhulst 1845); for scores by compute Owen 2024, by loss Bhagia et
    al. 2024 (both from memory).
    """
    done: Array = expit(k * ahead(x, x0, axis))
    return low + (high - low) * done


def sigmoid_gradient(
    x: Array, low: Array, high: Array, x0: Array, k: Array, *, axis: Kind = "log10"
) -> tuple[Array, ...]:
    """Return the derivatives of `sigmoid` by low, high, x0 and k."""
    u = ahead(x, x0, axis)
    done = expit(k * u)
    left = 1 - done
    steep = (high - low) * done * left
    return left, done, -direction(axis) * k * steep, u * steep


def sigmoid_place(
    along: str,
    response: Array,
    x: Array,
    low: Array,
    high: Array,
    x0: Array,
    k: Array,
    *,
    variable: str,
    axis: Kind = "log10",
) -> Array:
    """Return the value of the variable at which `sigmoid` gives the response.

    Beyond the levels the end of the axis: inf or 0 for a count, inf or -inf for a loss.
    """
    require_variable(along, (variable,), "logistic")
    with np.errstate(all="ignore"):  # no rise, or no slope, reaches no response
        share = np.clip((response - low) / (high - low), 0.0, 1.0)
        return variable_at(np.asarray(logit(share)) / k, x0, axis)


def sigmoid_guess(response: Array, x: Array, *, axis: Kind = "log10") -> tuple[Array, ...]:
    """Return levels at the ends of the data, and a rise where the scores cross their middle."""
    at = direction(axis) * place(x, axis)
    ordered = np.take_along_axis(response, np.argsort(at, axis=-1), axis=-1)
    n = max(1, response.shape[-1] // 6)
    low, high = np.median(ordered[..., :n], axis=-1), np.median(ordered[..., -n:], axis=-1)
    middle = np.abs(response - (low + high)[..., None] / 2).argmin(axis=-1)
    x0 = direction(axis) * np.take_along_axis(at, middle[..., None], axis=-1)[..., 0]
    return low, high, x0, 10 / np.maximum(np.ptp(at, axis=-1), 1e-9)


def anchored(x: Array, x0: Array, k: Array, *, chance: float = 0.0, axis: Kind = "log10") -> Array:
    r"""Return a score that rises from chance to 1.

    .. math:: y = c + \frac{1 - c}{1 + e^{-k u}}

    Parameters
    ----------
    x, x0, k : array
        As in `sigmoid`.
    chance : float
        Score of guessing, c.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        Between c and 1.

    References
    ----------
    Three-parameter logistic of item response theory, its guessing parameter known (Birnbaum 1968);
    for scores by compute Ruan et al. 2024 (from memory).
    """
    return sigmoid(x, np.asarray(chance), np.ones(()), x0, k, axis=axis)


def anchored_gradient(
    x: Array, x0: Array, k: Array, *, chance: float = 0.0, axis: Kind = "log10"
) -> tuple[Array, ...]:
    """Return the derivatives of `anchored` by x0 and k."""
    return sigmoid_gradient(x, np.asarray(chance), np.ones(()), x0, k, axis=axis)[2:]


def anchored_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    k: Array,
    *,
    variable: str,
    chance: float = 0.0,
    axis: Kind = "log10",
) -> Array:
    """Return the value of the variable at which `anchored` gives the response."""
    return sigmoid_place(
        along,
        response,
        x,
        np.asarray(chance),
        np.ones(()),
        x0,
        k,
        variable=variable,
        axis=axis,
    )


def anchored_guess(
    response: Array, x: Array, *, chance: float = 0.0, axis: Kind = "log10"
) -> tuple[Array, ...]:
    """Return the line through the logits of the scores, those beyond the levels moved inside."""
    share = np.clip((response - chance) / (1 - chance), 0.02, 0.98)
    intercept, slope = line(place(x, axis), np.asarray(logit(share)))
    return -intercept / np.where(slope == 0, np.nan, slope), direction(axis) * slope


def logistic(variable: str = "flops", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the logistic between two free levels.

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None: a loss falls.

    Returns
    -------
    Law
        With parameters low, high, x0, k; low may be held at chance with ``fixed={"low": 0.25}``.

    Examples
    --------
    >>> logistic("loss").formula
    'score = low + (high - low) / (1 + exp(-k (x0 - loss)))'
    """
    where = axis_of(variable, axis)
    levels = (
        Parameter("low", start=0.2, level=True),
        Parameter("high", start=0.8, level=True),
    )
    arguments = (variable, "low", "high", "x0", "k")
    return Law(
        name=f"logistic_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(*levels, *_rise(where)),
        function=Formula(sigmoid, arguments, where.options),
        gradient=Formula(sigmoid_gradient, arguments, where.options),
        inverse=Formula(
            sigmoid_place,
            ("along", "response", *arguments),
            (("variable", variable), *where.options),
        ),
        reference="four-parameter logistic, Verhulst 1845; by compute Owen 2024 (from memory)",
        formula=f"{response} = low + (high - low) / (1 + exp(-k ({where.past('x0')})))",
        guess=Formula(sigmoid_guess, ("response", variable), where.options),
        guesses_groups=True,
    )


def chance_logistic(
    variable: str = "flops",
    response: str = "score",
    chance: float = 0.0,
    axis: Kind | None = None,
) -> Law:
    """Return the logistic from chance to 1.

    Parameters
    ----------
    variable, response : str
        Columns.
    chance : float
        Score of guessing, from 0 to below 1.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None: a loss falls.

    Returns
    -------
    Law
        With parameters x0, k.

    Raises
    ------
    ValueError
        If chance lies outside [0, 1).

    Examples
    --------
    >>> chance_logistic("n_params", chance=0.25).formula
    'score = 0.25 + 0.75 / (1 + exp(-k (log10(n_params) - x0)))'
    """
    if not 0 <= chance < 1:
        raise ValueError(f"chance must be a share from 0 to below 1; it is {chance:g}.")
    where = axis_of(variable, axis)
    arguments = (variable, "x0", "k")
    options = (("chance", float(chance)), *where.options)
    return Law(
        name=f"chance_logistic_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=_rise(where),
        function=Formula(anchored, arguments, options),
        gradient=Formula(anchored_gradient, arguments, options),
        inverse=Formula(
            anchored_place, ("along", "response", *arguments), (("variable", variable), *options)
        ),
        reference="three-parameter logistic with known guessing, Birnbaum 1968; "
        "by compute Ruan et al. 2024 (from memory)",
        formula=f"{response} = {chance:g} + {1 - chance:g} / (1 + exp(-k ({where.past('x0')})))",
        guess=Formula(anchored_guess, ("response", variable), options),
        guesses_groups=True,
    )


def _rise(where: Axis) -> tuple[Parameter, Parameter]:
    slope = Parameter("k", start=3.0, lower=0.0, upper=1e4, scale="log", unit=where.slope_unit)
    return where.place("x0"), slope
