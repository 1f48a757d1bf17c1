"""Could this design ever say so? How often a verdict falls for a number of models and of items."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emergekit.compute import Engine
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH
from emergekit.emergence.simulation.rates import confusion_matrix
from emergekit.emergence.simulation.worlds import WORLDS, World, known_world
from emergekit.emergence.verdicts.rules import ENOUGH_SCALES, VERDICTS
from emergekit.errors import unknown
from emergekit.metrics.uncertainty import proportion_interval

__all__ = ["power_table"]

_BROKEN = tuple(name for name, world in WORLDS.items() if world.truth == "genuine")


def power_table(
    n_scales: int | Sequence[int],
    n_items: int | Sequence[int],
    scatter: float | Sequence[float] = 0.02,
    *,
    width: float = DEFAULT_WIDTH,
    worlds: str | Sequence[str] | Mapping[str, World] = _BROKEN,
    verdict: str | None = None,
    sharp_only: bool = False,
    n_tasks: int = 40,
    n_boot: int = 99,
    seed: int = 0,
    engine: Engine = "serial",
    n_workers: int | None = None,
    **options: Any,
) -> pd.DataFrame:
    r"""Return how often a design finds what is there: shares of simulated tasks, with their errors.

    .. math:: \hat p = k / n, \qquad \mathrm{se} = \sqrt{\hat p (1 - \hat p) / n}

    Ask before the models are trained: with so many scales and items, would a threshold be seen?

    Parameters
    ----------
    n_scales : int or sequence of int
        Models, over six decades of compute.
    n_items : int or sequence of int
        Test items.
    scatter : float or sequence of float
        Standard deviation of a model's log loss, and half of that of its margin.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range.
    worlds : str, sequence of str, or mapping
        Names in `WORLDS`, or worlds of your own by name; those with a threshold by default.
    verdict : str, optional
        Whose rate to tell; by default the one that is true of the world: "genuine", "mirage" or
        "smooth", and "undecided" of a world where nothing rises.
    sharp_only : bool
        Whether the continuous metric is kept back.
    n_tasks : int
        Tasks a cell; the standard error is at most 0.5 over its root.
    n_boot, seed, engine, n_workers, **options
        Draws, root of the random numbers, where to compute, and what else `mirage_test` takes.

    Returns
    -------
    DataFrame
        One row a design and world: world, truth, n_scales, n_items, scatter, width, n_tasks,
        verdict, rate, stderr, lower, upper (95 % interval, which says more where the rate is 0 or
        1), then the share of tasks with each verdict, and `never`: why this design cannot say
        "genuine" at all, else "".

    Raises
    ------
    ValueError
        If a world or verdict is unknown, or a number makes no sense.

    Notes
    -----
    A task is judged alone. Among N tasks, of which few break, Benjamini-Hochberg asks for p near
    alpha/N: give ``alpha=0.05 / N`` and `n_boot` of 20 N or more to see the power that is left.

    Examples
    --------
    >>> table = power_table([5, 12], 200, worlds="em hinge K=5", n_tasks=10)
    >>> table[["n_scales", "rate", "lower", "upper", "never"]].round(2).to_dict("records")[0]
    {'n_scales': 5, 'rate': 0.0, 'lower': 0.0, 'upper': 0.31, 'never': 'fewer than 8 scales'}
    """
    if verdict is not None and verdict not in VERDICTS:
        raise ValueError(unknown("verdict", verdict, VERDICTS))
    if isinstance(worlds, str):
        worlds = [worlds]
    named = worlds if isinstance(worlds, Mapping) else {name: known_world(name) for name in worlds}
    cells = confusion_matrix(
        named,
        [n_scales] if isinstance(n_scales, int) else n_scales,
        [n_items] if isinstance(n_items, int) else n_items,
        [scatter] if isinstance(scatter, int | float) else scatter,
        n_tasks=n_tasks,
        n_boot=n_boot,
        sharp_only=sharp_only,
        seed=seed,
        engine=engine,
        n_workers=n_workers,
        width=width,
        **options,
    )
    asked = cells["truth"].replace("flat", "undecided") if verdict is None else verdict
    table = cells.assign(width=width, verdict=asked)
    found = np.array([row[row["verdict"]] for row in table.to_dict("records")], dtype=float)
    rate = found / n_tasks
    lower, upper = proportion_interval(found, np.full(len(found), n_tasks))
    shares = {name: table[name] / n_tasks for name in VERDICTS}
    table = table.assign(
        rate=rate,
        stderr=np.sqrt(rate * (1 - rate) / n_tasks),
        lower=lower,
        upper=upper,
        never=[_never(row, named, sharp_only) for row in table.to_dict("records")],
        **shares,
    )
    design = ["world", "truth", "n_scales", "n_items", "scatter", "width", "n_tasks"]
    return table[[*design, "verdict", "rate", "stderr", "lower", "upper", *VERDICTS, "never"]]


def _never(row: Mapping[Hashable, Any], worlds: Mapping[str, World], sharp_only: bool) -> str:
    """Return why no result of a design would be called genuine, or nothing."""
    if row["n_scales"] < ENOUGH_SCALES:
        return f"fewer than {ENOUGH_SCALES} scales"
    if sharp_only and worlds[row["world"]].kind == "em":
        return "exact match alone"
    return ""
