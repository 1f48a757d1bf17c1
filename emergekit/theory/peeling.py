"""Learn the skills of one graph, text by text, as the learners of density evolution do.

In each round every text with few enough unknown skills teaches them, all at once; the rounds end
when no text has anything left to teach. What is learned in the end does not depend on the order, so
NumPy and compiled code agree to the bit, also on the rounds. Each edge is touched once: the cost
grows with the number of edges, however many rounds there are.

References
----------
Liao, Chang & Hong 2024, arXiv 2404.07009. Luby et al. 2001, "Efficient erasure correcting codes",
for peeling; the unknown skills of a text are kept as their count and their sum, so that a text with
one left names it (Goodrich & Mitzenmacher 2011, "Invertible Bloom lookup tables").
"""

from __future__ import annotations

from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.compute import Engine, run
from emergekit.theory.degrees import Degrees
from emergekit.theory.ranges import Array, counts, single, within
from emergekit.theory.skill_graphs import SkillTextGraph, random_graph, spread

__all__ = ["Peeled", "SimulatedLearning", "peel", "simulate_learning", "understood_texts"]

Flags = NDArray[np.bool_]
_WORTH_COMPILING = 200_000  # edges; below, NumPy is done before compiled code is loaded


class Peeled(NamedTuple):
    """What was learned from one graph.

    Parameters
    ----------
    learned : array of bool, shape (n_skills,)
        Whether each skill is known in the end.
    n_learned : array of int, shape (n_rounds + 1,)
        Skills known after each round, and before the first.
    """

    learned: Flags
    n_learned: NDArray[np.int64]


class SimulatedLearning(NamedTuple):
    """What was learned from many graphs, one entry a graph; names as in `LearningCurve`."""

    learned: Array
    testing_error: Array
    training_error: Array


def peel(
    graph: SkillTextGraph,
    learner: int = 1,
    known: ArrayLike | None = None,
    compiled: bool | None = None,
) -> Peeled:
    """Return which skills of a graph a D-skill learner learns.

    Parameters
    ----------
    graph : SkillTextGraph
        From `random_graph` or `graph_from_edges`.
    learner : int
        D, the number of unknown skills in a text that can be learned at once.
    known : array of bool, shape (n_skills,), optional
        Skills known beforehand.
    compiled : bool, optional
        Whether compiled code does it (extra `fast`); if it is there and the graph is large, by
        default. The result is the same.

    Returns
    -------
    Peeled

    Raises
    ------
    ValueError
        If D is no whole number of 1 or more, or `known` does not fit the graph.
    ModuleNotFoundError
        If compiled code is asked for where numba is absent.

    References
    ----------
    Liao, Chang & Hong 2024, D-skill learners.

    Examples
    --------
    >>> from emergekit.theory import graph_from_edges
    >>> chain = graph_from_edges([0, 0, 1, 1, 2], [0, 1, 1, 2, 2])
    >>> peel(chain).n_learned  # the first text teaches skill 0, the second then 1, the third 2
    array([0, 1, 2, 3])
    """
    depth = int(single(counts(learner, "learner"), "learner"))
    learned = np.zeros(graph.n_skills, dtype=np.bool_) if known is None else _known(known, graph)
    fast = _module(compiled) if _wanted(compiled, graph) else None
    if fast is None:
        rounds = _peel_one(graph, learned) if depth == 1 else _peel_many(graph, depth, learned)
    elif depth == 1:
        rounds = fast.peel_one(graph.offsets, graph.texts, graph.n_texts, learned)
    else:
        rounds = fast.peel_many(graph.offsets, graph.texts, *graph.by_text(), depth, learned)
    return Peeled(learned, np.cumsum(np.array(rounds, dtype=np.int64)))


def understood_texts(graph: SkillTextGraph, learned: ArrayLike) -> Flags:
    """Return which texts have no unknown skill; one without skills is understood.

    On the graph that was learned from, the others are the training error; on a fresh one of the
    same skills, the testing error.

    Parameters
    ----------
    graph : SkillTextGraph
        Texts, seen or fresh.
    learned : array of bool, shape (n_skills,)
        Which skills are known.

    Returns
    -------
    array of bool, shape (n_texts,)

    Raises
    ------
    ValueError
        If `learned` does not fit the graph.

    References
    ----------
    Liao, Chang & Hong 2024, testing error.

    Examples
    --------
    >>> from emergekit.theory import graph_from_edges
    >>> understood_texts(graph_from_edges([0, 0, 1], [0, 1, 1], n_texts=3), [True, False])
    array([ True, False,  True])
    """
    return _all_known(graph, np.repeat(_known(learned, graph), np.diff(graph.offsets)))


def simulate_learning(
    n_skills: int,
    ratio: float,
    degrees: Degrees,
    learner: int = 1,
    prior: float = 0.0,
    *,
    n_graphs: int = 1,
    seed: int = 0,
    compiled: bool | None = None,
    engine: Engine = "serial",
) -> SimulatedLearning:
    """Return what is learned from random graphs, to set beside `learning_curve`.

    Parameters
    ----------
    n_skills, ratio, degrees
        As in `random_graph`.
    learner, compiled
        As in `peel`.
    prior : float
        Chance that a skill is known beforehand.
    n_graphs : int
        How many graphs.
    seed : int
        Equal seeds give equal numbers, on every engine; each graph has a stream of its own, so the
        first graphs do not depend on how many there are.
    engine : {"serial", "processes", "dask"}
        As in `compute.run`.

    Returns
    -------
    SimulatedLearning
        Testing errors are of fresh texts, as many and as large as those of the corpus, with skills
        drawn evenly.

    Raises
    ------
    ValueError
        As `random_graph` and `peel`.

    References
    ----------
    Liao, Chang & Hong 2024, iterative decoding of texts.

    Examples
    --------
    >>> simulate_learning(10_000, 1.2, 3.0).learned.round(2)
    array([0.96])
    """
    known = within(prior, "prior", lambda p: (p >= 0) & (p < 1), "0 or more and below 1")
    share = single(known, "prior")
    one = partial(_learn_one, n_skills, ratio, degrees, learner, share, compiled)
    graphs = range(int(single(counts(n_graphs, "n_graphs"), "n_graphs")))
    return SimulatedLearning(*np.array(run(one, graphs, engine=engine, seed=seed)).T)


def _learn_one(
    n_skills: int,
    ratio: float,
    degrees: Degrees,
    learner: int,
    share: float,
    compiled: bool | None,
    number: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return what is learned from one graph, and the errors; the number only tells graphs apart."""
    graph = random_graph(n_skills, ratio, degrees, rng)
    learned = peel(graph, learner, rng.random(graph.n_skills) < share, compiled).learned
    fresh = learned[rng.integers(0, graph.n_skills, graph.n_edges, dtype=np.int32)]
    understood = understood_texts(graph, learned)
    return learned.mean(), 1 - _all_known(graph, fresh).mean(), 1 - understood.mean()


def _all_known(graph: SkillTextGraph, known: Flags) -> Flags:
    """Return which texts have no edge to an unknown skill, given what each edge leads to."""
    understood = np.ones(graph.n_texts, dtype=np.bool_)
    understood[graph.texts[~known]] = False
    return understood


def _peel_one(graph: SkillTextGraph, learned: Flags) -> list[int]:
    """Mark what a 1-skill learner learns, and return how many skills each round adds."""
    skills, edges = graph.skills(), graph.texts
    if learned.any():
        unknown = ~learned[skills]
        skills, edges = skills[unknown], edges[unknown]
    count = np.bincount(edges, minlength=graph.n_texts)
    total = np.zeros(graph.n_texts, dtype=np.int64)
    np.add.at(total, edges, skills.astype(np.int64))
    rounds, touched = [int(learned.sum())], np.arange(graph.n_texts, dtype=np.int32)
    while True:
        new = np.unique(total[touched[count[touched] == 1]])
        if not len(new):
            return rounds
        learned[new] = True
        rounds.append(len(new))
        touched, degrees = spread(graph.offsets, graph.texts, new)
        np.subtract.at(count, touched, 1)
        np.subtract.at(total, touched, np.repeat(new, degrees))


def _peel_many(graph: SkillTextGraph, depth: int, learned: Flags) -> list[int]:
    """Do the same for a D-skill learner, who needs to know all skills of a text."""
    offsets, members = graph.by_text()
    count = np.bincount(graph.texts[~learned[graph.skills()]], minlength=graph.n_texts)
    rounds, touched = [int(learned.sum())], np.arange(graph.n_texts, dtype=np.int32)
    while True:
        ready = touched[(count[touched] > 0) & (count[touched] <= depth)]
        taught = spread(offsets, members, np.unique(ready))[0]
        new = np.unique(taught[~learned[taught]])
        if not len(new):
            return rounds
        learned[new] = True
        rounds.append(len(new))
        touched = spread(graph.offsets, graph.texts, new)[0]
        np.subtract.at(count, touched, 1)


def _known(known: ArrayLike, graph: SkillTextGraph) -> Flags:
    flags = np.array(known)
    if flags.dtype != np.bool_ or flags.shape != (graph.n_skills,):
        raise ValueError(
            f"Which skills are known must be one truth value a skill, {graph.n_skills} in all; "
            f"this is an array of {flags.dtype}, shape {flags.shape}."
        )
    return flags


def _wanted(compiled: bool | None, graph: SkillTextGraph) -> bool:
    return graph.n_edges >= _WORTH_COMPILING if compiled is None else compiled


def _module(compiled: bool | None) -> Any:
    found = _compiled()
    if found is None and compiled:
        raise ModuleNotFoundError(
            "compiled=True needs the extra 'fast': pip install 'emergekit[fast]'."
        )
    return found


@cache
def _compiled() -> ModuleType | None:
    if find_spec("numba") is None:
        return None
    from emergekit.theory import compiled_peeling

    return compiled_peeling
