"""The three knobs of the Mirage model: what makes one smooth curve look like a jump."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import theory
from emergekit.plots.axes import GREY, colours, label, panels, shades
from emergekit.theory import mirage

__all__ = ["knobs"]

_SIZES = np.geomspace(1e8, 1e12, 161)
_SHORT, _LONG = 5, 20  # target tokens
_FAMILY = np.array([1e8, 1e9, 1e10, 1e12])


def knobs(seed: int = 0) -> tuple[Figure, pd.DataFrame]:
    """Return three ways in which a smooth curve comes to look like a jump.

    Parameters
    ----------
    seed : int
        Of the simulated test sets.

    Returns
    -------
    Figure
        Exact match over model size: of longer targets, which rise later; of 5 tokens on test sets
        of 30 and of 3000 examples, where scores below 1/m are mostly 0, with the size at which one
        right answer is due; and of 20 tokens for many models, and for four of a family.
    DataFrame
        panel, curve, n_params, score, source (theory or simulation).

    References
    ----------
    Schaeffer, Miranda & Koyejo 2023, section 2 (the argument; the figure is ours).
    """
    figure, axes = panels(1, 3, width=3.6, height=3.2)
    parts = [*_longer(axes[0]), *_smaller(axes[1], seed), *_fewer(axes[2], seed)]
    titles = ("A  longer targets", "B  smaller test sets", "C  fewer models")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, loc="left", fontsize="medium")
        ax.set(xscale="log", xlabel=label("n_params"))
    axes[0].set_ylabel("share of exact matches")
    return figure, pd.concat(parts, ignore_index=True)


def _longer(ax: Axes) -> list[pd.DataFrame]:
    lengths, parts = (1, 2, 5, 10, 20), []
    for k, colour in zip(lengths, shades(len(lengths)), strict=True):
        score = _expected(_SIZES, k)
        ax.plot(_SIZES, score, color=colour, label=f"{k}")
        parts.append(_part("A", f"{k} tokens", _SIZES, score, "theory"))
    ax.legend(frameon=False, title="target tokens", fontsize="small", alignment="left")
    return parts


def _smaller(ax: Axes, seed: int) -> list[pd.DataFrame]:
    at, parts = np.geomspace(1e8, 3e9, 25), []
    fine = np.geomspace(1e8, 3e9, 200)
    ax.plot(fine, _expected(fine, _SHORT), color="0.35", linewidth=1.0, label="expected")
    for m, colour in zip((30, 3000), colours(2), strict=True):
        score = theory.simulate_exact_match(at, _SHORT, m, seed=seed)[:, 0]
        ax.plot(at, score, "o", color=colour, markersize=4, label=f"{m} examples")
        first = float(theory.apparent_threshold(m, _SHORT))
        ax.axvline(first, color=colour, linewidth=0.9, linestyle="--", zorder=0)
        parts.append(_part("B", f"{m} examples", at, score, "simulation"))
    ax.plot([], [], color="0.35", linewidth=0.9, linestyle="--", label="one right answer due")
    ax.set_yscale("symlog", linthresh=1e-3, linscale=0.4)
    ax.set_yticks([0, 1e-3, 1e-2, 1e-1], ["0", "0.1%", "1%", "10%"])
    ax.set_ylim(-3e-4, 0.3)
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    return parts


def _fewer(ax: Axes, seed: int) -> list[pd.DataFrame]:
    dense = theory.simulate_exact_match(_SIZES[::5], _LONG, 1000, seed=seed)[:, 0]
    few = theory.simulate_exact_match(_FAMILY, _LONG, 1000, seed=seed + 1)[:, 0]
    ax.plot(_SIZES[::5], dense, "o", color=GREY, markersize=3.5, label="33 models")
    ax.plot(_FAMILY, few, "o-", color=colours(1)[0], markersize=6, label="4 models")
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    return [
        _part("C", "33 models", _SIZES[::5], dense, "simulation"),
        _part("C", "4 models", _FAMILY, few, "simulation"),
    ]


def _expected(sizes: np.ndarray, n_target_tokens: int) -> np.ndarray:
    return mirage.expected_exact_match(
        mirage.p_token(mirage.power_law_loss(sizes)), n_target_tokens
    )


def _part(panel: str, curve: str, sizes: object, score: object, source: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"panel": panel, "curve": curve, "n_params": sizes, "score": score, "source": source}
    )
