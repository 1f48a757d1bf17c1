"""The theories of emergence side by side, on one axis: how a score rises with scale in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import theory
from emergekit.plots.axes import GREY, panels, shades
from emergekit.theory import mirage

__all__ = ["side_by_side"]

_DECADES = np.linspace(-2.0, 3.0, 1001)
_TOKENS_PER_PARAM = 20.0
Curves = dict[str, np.ndarray]


def side_by_side() -> tuple[Figure, pd.DataFrame]:
    """Return eight theories of emergence on one axis of scale, from smooth rises to jumps.

    Returns
    -------
    Figure
        One panel a theory, its score over decades of scale; 0 is where the first, lightest curve
        passes one half. Above, smooth rises: harder tasks rise later, hardly steeper, and all
        tokens together are smooth though each quantum is a step. Below, what makes a corner,
        stairs, a rise that sharpens with size, or a jump. Every panel says how wide the rise of its
        first and of its last curve is, from one quarter to three quarters of their range.
    DataFrame
        theory, curve, decades, score, width (decades from 25 to 75 % of the rise, 0 for a jump).

    References
    ----------
    Schaeffer et al. 2023; Okawa et al. 2023; Michaud et al. 2023; Arora & Goyal 2023; Lubana et al.
    2024; Nayak & Varshney 2024; Derrida 1981; Liao, Chang & Hong 2024.
    """
    figure, axes = panels(2, 4, width=2.85, height=2.65, sharex=True, sharey=True)
    parts = []
    for ax, (title, heading, curves) in zip(axes, _PANELS, strict=True):
        found = curves()
        shift = _middle(next(iter(found.values())))
        rows = []
        for (name, score), colour in zip(found.items(), shades(len(found)), strict=True):
            part = pd.DataFrame({"theory": title, "curve": name, "decades": _DECADES - shift})
            rows.append(part.assign(score=score, width=_width(score)))
            _line(ax, _DECADES - shift, score, colour, name)
        parts += rows
        _dress(ax, title, heading, [float(part["width"].iloc[0]) for part in rows])
    for ax in axes[4:]:
        ax.set_xlabel("decades of scale")
    for ax in axes[::4]:
        ax.set_ylabel("score")
    axes[0].set(xlim=(-1.5, 2.6), ylim=(-0.04, 1.08))
    return figure, pd.concat(parts, ignore_index=True)


def _mirage() -> Curves:
    p = mirage.p_token(mirage.power_law_loss(1e10 * 10**_DECADES, 1e9, -0.5))
    return {f"{k}": mirage.expected_exact_match(p, k) for k in (2, 5, 12)}


def _compositions() -> Curves:
    one = theory.concept_success(_DECADES, width=0.25)
    return {f"{n}": theory.composed_success(np.stack([one] * n, axis=-1)) for n in (1, 4, 16)}


def _quanta() -> Curves:
    n, a = 30 * 10**_DECADES, 0.34
    many = np.geomspace(1.5, 600, 60)
    return {
        "one quantum": 1 - theory.token_loss(n, [30.0], [1.0]),
        "60 quanta": 1 - theory.token_loss(n, many, np.full(60, 1 / 60)),
        "all tokens": 1 - theory.quanta_loss(n, a),
    }


def _guarantees() -> Curves:
    N = 3e11 * 10**_DECADES
    excess = theory.chinchilla_excess(N, _TOKENS_PER_PARAM * N)
    failing = theory.failure_from_excess(excess, "proportional")
    return {f"{k}": theory.competence(failing, 0.3, 16, k) for k in (1, 2, 4)}


def _giants() -> Curves:
    share = theory.random_graph_giant(10**_DECADES)
    return {f"{n}": share**n for n in (1, 3, 9)}


def _levels() -> Curves:
    decades = _DECADES[::10]
    sizes = theory.compute_optimal_sizes(1e12 * 10 ** (2 * decades))
    R, T = (10 ** np.interp(_DECADES, decades, np.log10(n)) for n in sizes[:2])
    mixtures = {
        "one": ((1.0,), (0.5,)),
        "three": ((0.4, 0.4, 0.2), (0.2, 0.6, 0.95)),
    }
    return {
        name: theory.composed_accuracy(R, T, theory.level_weights(*mixture))
        for name, mixture in mixtures.items()
    }


def _random_energies() -> Curves:
    score = theory.random_energy_threshold() * 10**_DECADES
    return {f"{n}": theory.random_energy_success(score, n, fixed=False) for n in (10, 50, 1000)}


def _learners() -> Curves:
    return {f"{c:g}": theory.learned_fraction(10**_DECADES, c) for c in (2.0, 3.0, 4.0)}


_PANELS: tuple[tuple[str, str, Callable[[], Curves]], ...] = (
    ("mirage: exact match", "target tokens", _mirage),
    ("compositions", "concepts", _compositions),
    ("quanta", "loss saved on", _quanta),
    ("guaranteed skills", "skills per tuple", _guarantees),
    ("giant component", "skills per task", _giants),
    ("skill levels", "modes", _levels),
    ("random energies", "bits", _random_energies),
    ("abstract learners", "skills per text", _learners),
)


def _middle(score: np.ndarray) -> float:
    """Return where a curve passes one half."""
    return float(_DECADES[int(np.argmax(score >= 0.5))])


def _width(score: np.ndarray) -> float:
    """Return the decades from one quarter to three quarters of the way from 0 to 1."""
    low, high = (int(np.argmax(score >= level)) for level in (0.25, 0.75))
    if not (score[low] >= 0.25 and score[high] >= 0.75):
        return np.nan
    return float(_DECADES[high] - _DECADES[low]) if high > low else 0.0


def _line(ax: Axes, x: np.ndarray, score: np.ndarray, colour: Any, name: str) -> None:
    """Draw a curve, a dotted line where it jumps."""
    jumps = np.flatnonzero(np.diff(score) > 0.2)
    parted = np.insert(score, jumps + 1, np.nan), np.insert(x, jumps + 1, np.nan)
    ax.plot(parted[1], parted[0], color=colour, linewidth=1.7, label=name)
    for jump in jumps:
        ends = score[jump : jump + 2]
        ax.plot(x[jump : jump + 2].mean() * np.ones(2), ends, ":", color=colour, linewidth=1.0)


def _dress(ax: Axes, title: str, heading: str, widths: list[float]) -> None:
    ax.axhline(0.5, color=GREY, linewidth=0.7, zorder=0)
    ax.axvline(0.0, color=GREY, linewidth=0.7, zorder=0)
    ax.set_title(title, loc="left", fontsize="medium")
    ax.legend(
        frameon=False, title=heading, loc="lower right", fontsize="x-small",
        title_fontsize="x-small",
        alignment="left", handlelength=1.4, labelspacing=0.25, borderaxespad=0.2,
    )  # fmt: skip
    said = [_said(width) for width in (widths[0], widths[-1])]
    ax.text(
        0.02, 0.98, f"25 to 75 %: {said[0]}\nto {said[1]} decades", va="top",
        transform=ax.transAxes,
        fontsize="x-small", color="0.35",
    )  # fmt: skip


def _said(width: float) -> str:
    if not np.isfinite(width):
        return "beyond"
    return "0" if width == 0 else f"{width:.2f}"
