"""From a threshold in loss to the model size that reaches it, by a law of the family's runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit import laws
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import Fit, bootstrap, fit
from emergekit.prediction import threshold
from emergekit.reporting.words import counted

__all__ = ["Bridge", "threshold_sizes"]

Array: TypeAlias = NDArray[np.float64]

_LOSSES = ("threshold_loss", "threshold_loss_lower", "threshold_loss_upper")
_SIZES = ("threshold_n_params", "threshold_n_params_lower", "threshold_n_params_upper")
_LEAST_RUNS = 8  # of a law of five parameters
_LEAST_DIFFERENT = 3
_DRAWS = 200


@dataclass(frozen=True)
class Bridge:
    """How a loss becomes a size.

    Parameters
    ----------
    models : DataFrame
        Models or checkpoints, to whose finished runs a law of loss is fitted, family by family.
    law : Fit, optional
        A law for all families instead.
    loss : str
        Column of the loss.
    tokens_per_param : float
        n_tokens grows with n_params in this ratio.
    """

    models: pd.DataFrame
    law: Fit | None = None
    loss: str = "loss"
    tokens_per_param: float = 20.0


def threshold_sizes(
    thresholds: pd.DataFrame,
    families: Sequence[object],
    bridge: Bridge,
    *,
    level: float,
    seed: int,
) -> pd.DataFrame:
    """Return the size at which each threshold is reached, with its interval, and what it rests on.

    Parameters
    ----------
    thresholds : DataFrame
        threshold_loss, threshold_loss_lower, threshold_loss_upper; NaN where there is none.
    families : sequence
        The family of each.
    bridge : Bridge
        From losses to sizes.
    level, seed : float, int
        Coverage that the intervals aim at, and the root of their random numbers.
    """
    found: dict[str | None, Fit | str] = {}
    rows = []
    ends = thresholds[list(_LOSSES)].to_numpy(dtype=float)
    for place, family in zip(ends, families, strict=True):
        if np.isnan(place[0]):
            rows.append(_unknown("no threshold in loss"))
            continue
        name = family if isinstance(family, str) else None
        if name not in found:
            found[name] = bridge.law or _law(bridge, name, seed)
        law = found[name]
        if isinstance(law, str):
            rows.append(_unknown(law))
        else:
            rows.append(_size(law, place, bridge, level, seed))
    return pd.DataFrame(rows)


def _unknown(reason: str) -> dict[str, Any]:
    return {**dict.fromkeys(_SIZES, np.nan), "threshold_size_reason": reason}


def _size(law: Fit, place: Array, bridge: Bridge, level: float, seed: int) -> dict[str, Any]:
    eta, lower, upper = map(float, place)
    tied = "n_tokens" in law.law.variables
    try:
        at = threshold(
            law,
            eta,
            tokens_per_param=bridge.tokens_per_param if tied else None,
            interval=(lower, upper) if np.isfinite([lower, upper]).all() else None,
            level=level,
            seed=seed,
        ).iloc[0]
    except FitError as error:
        return _unknown(str(error))
    sizes = dict(zip(_SIZES, (at["estimate"], at["lower"], at["upper"]), strict=True))
    return {**sizes, "threshold_size_reason": _basis(law, float(at["estimate"]), tied, bridge)}


def _basis(law: Fit, size: float, tied: bool, bridge: Bridge) -> str:
    """Return what a size rests on, and whether it lies beyond that."""
    said = f"law {law.law.name} on {counted(len(law.data), 'run')}"
    if tied:
        said += f" at {bridge.tokens_per_param:g} tokens a parameter"
    if np.isinf(size):
        return f"{said}: no size reaches it"
    sizes = law.data["n_params"]
    return said if sizes.min() <= size <= sizes.max() else f"{said}; beyond its sizes"


def _law(bridge: Bridge, family: str | None, seed: int) -> Fit | str:
    """Return the law of loss of the finished runs of a family, or why there is none."""
    names = ["n_params", "n_tokens", bridge.loss]
    models = bridge.models
    absent = [name for name in names if name not in models]
    if absent:
        return f"no law of loss: {', '.join(absent)} unknown"
    if family is not None and "family" in models:
        models = models[models["family"].eq(family).fillna(False).astype(bool)]
    runs = _finished(models).dropna(subset=names)
    different = [runs[name].nunique() for name in names[:2]]
    if len(runs) < _LEAST_RUNS or min(different) < _LEAST_DIFFERENT:
        return (
            f"no law of loss: {counted(len(runs), 'finished run')} of {different[0]} sizes and "
            f"{different[1]} lengths, where {_LEAST_RUNS} runs of {_LEAST_DIFFERENT} are needed"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            found = fit(laws.CHINCHILLA, runs.assign(loss=runs[bridge.loss]))
            if not found.stats["converged"].iloc[0]:
                return "no law of loss: the search stopped before it converged"
            # A and alpha, B and beta are correlated beyond what a normal law of them holds.
            return bootstrap(found, n=_DRAWS, seed=seed)
    except (FitError, TableError) as error:
        return f"no law of loss: {error}"


def _finished(models: pd.DataFrame) -> pd.DataFrame:
    """Return the last checkpoint of every run: a law of finished runs holds for no other."""
    named = "run" in models and models["run"].notna().all()
    keys = [name for name in ("family", "run" if named else "model", "seed") if name in models]
    along = next((name for name in ("step", "n_tokens") if name in models), None)
    ordered = models if along is None else models.sort_values(along, kind="stable")
    return ordered.groupby(keys, dropna=False, sort=False).tail(1)
