"""Everything that one curve says, in numbers: the three questions, and what stands around them.

What follows from the numbers is decided elsewhere (`rules`), once all curves of a call are in.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.emergence.questions.comparison import Comparison, compare_shapes
from emergekit.emergence.questions.curve_pairs import LEAST_SCALES, CurvePair, Options
from emergekit.emergence.questions.dictionary import Dictionary
from emergekit.emergence.questions.links import Link, composition_test, link_counts
from emergekit.emergence.questions.plateaus import PLATEAU_SPAN, SharpCurve, describe_sharp
from emergekit.emergence.questions.progress import early_progress
from emergekit.emergence.questions.resolution import items_needed, resolve_counts

__all__ = ["curve_evidence"]

Array: TypeAlias = NDArray[np.float64]

_FINE = 10  # times as many draws where a p-value is near the level


def curve_evidence(
    pair: CurvePair, shapes: Dictionary | None, options: Options, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the numbers behind a verdict; NaN where a question cannot be asked.

    Parameters
    ----------
    pair : CurvePair
        The curve.
    shapes : Dictionary, optional
        Of its scales; None where they are too few.
    options : Options
        Level, draws.
    rng : Generator
        Source of the draws.

    Returns
    -------
    dict
        The columns of `mirage_test` that belong to one curve, thresholds on the axis of x.
    """
    m = len(np.unique(pair.x))
    found = _absent(pair) | {"m": m, "x_range": float(np.ptp(pair.x)) if m else np.nan}
    if shapes is None:
        return found
    known = bool(np.isfinite(pair.n).all())
    if pair.z is not None:
        smooth = _broken(pair, shapes, options, rng)
        found |= _shape_numbers(smooth, pair, found)
    if not known:
        return found
    sharp = _broken(pair, shapes, options, rng, sharp=True)
    found |= {"p_break_sharp": sharp.p_break, "p_rev_sharp": sharp.p_rev}
    if pair.z is None:
        found |= _shape_numbers(sharp, pair, found)
    curve = describe_sharp(shapes.t, pair.correct, pair.n, pair.chance, options.alpha)
    found |= _sharp_numbers(curve, sharp, options) | _resolution_numbers(
        pair, shapes, curve, options, rng
    )
    if pair.z is not None:
        found |= early_progress(smooth, pair, curve) | _link_numbers(pair, options, rng)
    return found


def _absent(pair: CurvePair) -> dict[str, Any]:
    """Return every column empty, so that all rows have the same ones."""
    known = np.isfinite(pair.n).all() and len(pair.n) > 0
    numbers = (
        *("plateau", "plateau_span", "plateau_end", "f_top", "p_break", "p_rev", "eta"),
        *("eta_lower", "eta_upper", "rmse_smooth", "rmse_hinge", "pre_share", "p_pre", "p_mirage"),
        *("p_link", "link_A", "link_b", "link_maxres", "link_r2", "p_smooth_sharp"),
        *("expected_hits", "items_needed", "p_break_sharp", "p_rev_sharp", "above_span", "n_boot"),
    )
    return {
        "has_z": pair.z is not None,
        "kind": pair.kind,
        "chance": pair.chance,
        "n_items": float(np.min(pair.n)) if known else np.nan,
        "transform": "log" if pair.loss else "none",
        "rise": False,
        "fall": False,
        "dip": False,
        "is_crowded": pair.n_checkpoints >= LEAST_SCALES,
        "looks_emergent": False,
        "linked": False,
        "link": None,
        "poor_fit": False,
        **dict.fromkeys(numbers, np.nan),
    }


def _broken(
    pair: CurvePair,
    shapes: Dictionary,
    options: Options,
    rng: np.random.Generator,
    *,
    sharp: bool = False,
) -> Comparison:
    """Return the break test of one of both metrics, its p-values finer where they matter.

    Counts get their binomial variance, which knows no empty score.
    """
    if sharp:
        rise, share = pair.correct / pair.n, (pair.correct + 1) / (pair.n + 2)
        variance = share * (1 - share) / pair.n
        covariance = _with_empty_scores(pair.share_covariance, variance)
    else:
        rise = np.asarray(pair.z)
        variance = np.ones_like(rise) if pair.z_variance is None else pair.z_variance
        covariance = pair.z_covariance
    # Many tasks share one level: p-values that claim something must reach below it.
    claims = options.fine and sharp == (pair.z is None)
    return compare_shapes(
        shapes,
        rise,
        variance,
        rng=rng,
        n_boot=options.n_boot,
        n_fine=_FINE * (options.n_boot + 1) - 1 if claims else 0,
        trajectory=pair.trajectory,
        counts=sharp,
        covariance=covariance,
    )


def _with_empty_scores(covariance: Array | None, variance: Array) -> Array | None:
    """Return a covariance of shares in which a score of 0 or 1 is not known for sure."""
    if covariance is None:
        return None
    return np.asarray(covariance + np.diag(np.maximum(variance - np.diag(covariance), 0)))


def _shape_numbers(test: Comparison, pair: CurvePair, found: dict[str, Any]) -> dict[str, Any]:
    low, span = float(pair.x[0]), float(found["x_range"])
    poor = False
    if pair.z_variance is not None:
        error = float(np.sqrt(np.mean(pair.z_variance)))
        poor = min(test.rmse_smooth, test.rmse_threshold) > 3 * error
    return {
        "p_break": test.p_break,
        "p_rev": test.p_rev,
        "eta": low + span * test.eta,
        "eta_lower": low + span * test.eta_lower,
        "eta_upper": low + span * test.eta_upper,
        "rmse_smooth": test.rmse_smooth,
        "rmse_hinge": test.rmse_threshold,
        "n_boot": len(test.null_smooth),
        "poor_fit": poor,
    }


def _sharp_numbers(curve: SharpCurve, test: Comparison, options: Options) -> dict[str, Any]:
    still = curve.plateau >= 3 and curve.plateau_span >= PLATEAU_SPAN
    return {
        "plateau": curve.plateau,
        "plateau_span": curve.plateau_span,
        "above_span": curve.above_span,
        "rise": curve.rise,
        "fall": curve.fall and not curve.rise,
        "dip": curve.dip,
        "f_top": curve.f_top,
        "looks_emergent": curve.rise and (still or test.p_break <= options.alpha),
    }


def _resolution_numbers(
    pair: CurvePair,
    shapes: Dictionary,
    curve: SharpCurve,
    options: Options,
    rng: np.random.Generator,
) -> dict[str, Any]:
    chance = min(pair.chance, 0.99)
    found = resolve_counts(
        shapes.t,
        pair.correct,
        pair.n,
        chance=chance,
        width=shapes.width,
        rng=rng,
        n_boot=options.n_boot,
        covariance=pair.share_covariance,
    )
    told: dict[str, Any] = {"p_smooth_sharp": found.p_value}
    if curve.plateau > 0:
        flat = slice(curve.plateau)
        last = float(found.fitted[curve.plateau - 1])
        told |= {
            "plateau_end": float(pair.x[curve.plateau - 1]),
            "expected_hits": float((pair.n * np.maximum(found.fitted - chance, 0))[flat].sum()),
            "items_needed": items_needed(last, chance),
        }
    return told


def _link_numbers(pair: CurvePair, options: Options, rng: np.random.Generator) -> dict[str, Any]:
    link = _link(pair, options, rng)
    return {
        "p_link": link.p_value,
        "linked": link.linked,
        "link": link.kind,
        "link_A": link.A,
        "link_b": link.b,
        "link_maxres": link.max_residual,
        "link_r2": link.r2,
    }


def _link(pair: CurvePair, options: Options, rng: np.random.Generator) -> Link:
    """Return the composition of the items' own probabilities where known and true, else a fit."""
    draws: dict[str, Any] = {"alpha": options.alpha, "rng": rng, "n_boot": options.n_boot}
    z, loss = np.asarray(pair.z), pair.loss
    if pair.predicted is not None and pair.predicted_variance is not None:
        composed = composition_test(
            pair.correct, pair.n, pair.predicted, pair.predicted_variance, **draws
        )
        if composed.linked or not ((pair.predicted > 0) & (pair.predicted < 1)).all():
            return composed
        # A greedy decoder is right more often than samples are: let the length be effective.
        z, loss = -np.log(-np.log(pair.predicted)), True
    n_choices = float(np.clip(1 / pair.chance, 2, 50)) if pair.chance > 0 else 2.0
    return link_counts(
        z, pair.correct, pair.n, kind=pair.kind, loss=loss, n_choices=n_choices, **draws
    )
