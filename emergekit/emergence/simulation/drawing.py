"""Results that a world would give: models with scatter, and the same items for all of them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.questions.links import Kind
from emergekit.emergence.simulation.worlds import FIRST, LAST, N_CHOICES, World, known_world

__all__ = ["simulate_world"]

Array: TypeAlias = NDArray[np.float64]


def simulate_world(
    world: str | World,
    n_scales: int = 12,
    n_items: int = 200,
    scatter: float = 0.02,
    n_tasks: int = 1,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Return results of tasks in one world, a sharp and a continuous metric at every scale.

    Exact match: item j of model i is right with chance :math:`\exp(-K L_{ij})`, where the loss
    :math:`L_{ij}` is that of the model times a difficulty of the item (Gamma, shape 4) times noise
    (log-normal, 0.3). Multiple choice: each of four choices has a logit of the item (0.6) plus
    noise (0.8), the right one the margin of the model on top.

    Parameters
    ----------
    world : str or World
        Name in `WORLDS`, or a world of your own.
    n_scales : int
        Models, spread over six decades of compute with jitter.
    n_items : int
        Test items, the same ones for all models.
    scatter : float
        Standard deviation of a model's log loss, and half of that of its margin.
    n_tasks : int
        Tasks to draw.
    seed : int
        Root of the random numbers.

    Returns
    -------
    DataFrame
        `RESULTS` with `flops`: `exact_match` and `token_nll`, or `multiple_choice_grade` and
        `p_correct_choices`; with `n_examples`, `stderr` and `chance`. Tasks are numbered.

    Raises
    ------
    ValueError
        If the name is unknown or a number makes no sense.

    Examples
    --------
    >>> table = simulate_world("em K=10", n_scales=8)
    >>> table["metric"].value_counts().to_dict()
    {'exact_match': 8, 'token_nll': 8}
    """
    name, world = (world, known_world(world)) if isinstance(world, str) else ("world", world)
    if n_scales < 1 or n_items < 2 or n_tasks < 1 or not scatter >= 0:
        raise ValueError(
            "n_scales and n_tasks start at 1, n_items at 2, and scatter at 0; they are "
            f"{n_scales}, {n_tasks}, {n_items} and {scatter}."
        )
    rng = np.random.default_rng(seed)
    draw = _exact_matches if world.kind == "em" else _choices
    tables = []
    for task in range(n_tasks):
        x = _scales(rng, n_scales)
        right, z = draw(rng, world, x, n_items, scatter)
        tables.append(_table(f"{name} {task}", world.kind, x, right, z))
    return pd.concat(tables, ignore_index=True)


def _scales(rng: np.random.Generator, n: int) -> Array:
    """Return n places over the six decades, each off its even place by up to a fifth of a gap."""
    gap = (LAST - FIRST) / max(n - 1, 1)
    return np.linspace(FIRST, LAST, n) + gap * rng.uniform(-0.2, 0.2, n)


def _exact_matches(
    rng: np.random.Generator, world: World, x: Array, n_items: int, scatter: float
) -> tuple[NDArray[np.bool_], Array]:
    """Return what was right, and the loss of each item; one row a model."""
    loss = world.level(x) * np.exp(scatter * rng.standard_normal(len(x)))
    difficulty = rng.gamma(4.0, 0.25, n_items)
    noise = np.exp(0.3 * rng.standard_normal((len(x), n_items)))
    each = loss[:, None] * difficulty * noise
    return rng.random(each.shape) < np.exp(-world.n_tokens * each), each


def _choices(
    rng: np.random.Generator, world: World, x: Array, n_items: int, scatter: float
) -> tuple[NDArray[np.bool_], Array]:
    """Return what was right, and the probability of the right choice; one row a model."""
    margin = world.level(x) + 2 * scatter * rng.standard_normal(len(x))
    own = 0.6 * rng.standard_normal((n_items, N_CHOICES))
    logits = own + 0.8 * rng.standard_normal((len(x), n_items, N_CHOICES))
    logits[..., 0] += margin[:, None]
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return logits.argmax(axis=-1) == 0, p[..., 0] / p.sum(axis=-1)


def _table(task: str, kind: Kind, x: Array, right: NDArray[np.bool_], z: Array) -> pd.DataFrame:
    n = right.shape[1]
    names = (
        ("exact_match", "token_nll")
        if kind == "em"
        else (
            "multiple_choice_grade",
            "p_correct_choices",
        )
    )
    models = pd.DataFrame(
        {"model": [f"m{place:02d}" for place in range(len(x))], "family": "simulated", "task": task}
    ).assign(flops=10.0**x, n_examples=n)
    chance = 0.0 if kind == "em" else 1 / N_CHOICES
    sharp = models.assign(metric=names[0], score=right.mean(axis=1), chance=chance)
    smooth = models.assign(
        metric=names[1],
        score=z.mean(axis=1),
        stderr=z.std(axis=1, ddof=1) / np.sqrt(n),
        chance=np.nan if kind == "em" else chance,
    )
    return pd.concat([sharp.assign(stderr=np.nan), smooth], ignore_index=True)
