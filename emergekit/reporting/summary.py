"""The one table: every curve with its shape, its verdict, its threshold, room for a forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.compute import Engine
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH
from emergekit.emergence.questions.links import Kind
from emergekit.emergence.shapes.curves import curve_shapes, split_curves
from emergekit.errors import TableError, kind_of
from emergekit.fitting import Fit
from emergekit.loaders import load
from emergekit.reporting.judged import curve_verdicts
from emergekit.reporting.layout import laid_out, refused_rows
from emergekit.reporting.losses import curve_thresholds
from emergekit.reporting.section import Note
from emergekit.reporting.shapes import (
    NO_SCALE,
    best_scale,
    require_scale,
    scores_with_models,
    sound_curves,
    with_scale,
)
from emergekit.reporting.sizes import Bridge, threshold_sizes
from emergekit.tables import RESULTS, Tables, notes_table, validate

__all__ = ["OPTIONS", "emergence_table", "summarised"]

OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        **{"sharp": None, "continuous": None, "kind": None, "chance": None},
        **{"width": DEFAULT_WIDTH, "alpha": 0.05},
        **{"n_boot": 199, "seed": 0, "engine": "serial", "n_workers": None},
    }
)
"""What `mirage_test` takes, as `emergence_table` gives it if nothing else is said."""


def emergence_table(
    tables: Tables | pd.DataFrame | str | Path,
    x: str | None = None,
    *,
    sharp: str | None = None,
    continuous: str | None = None,
    kind: Kind | None = None,
    chance: float | None = None,
    loss: str = "loss",
    law: Fit | None = None,
    tokens_per_param: float = 20.0,
    width: float = DEFAULT_WIDTH,
    alpha: float = 0.05,
    n_boot: int = 199,
    level: float = 0.95,
    seed: int = 0,
    engine: Engine = "serial",
    n_workers: int | None = None,
) -> pd.DataFrame:
    """Return one row for every curve: its shape, its verdict, its threshold, and what is missing.

    Nothing is made up: where a number is empty, a column of reasons says why.

    Parameters
    ----------
    tables : Tables, DataFrame, str or Path
        Scores with what is known of their models; or results with the scale beside the scores; or
        a file, folder or pattern, which is loaded.
    x : str, optional
        Column of scale; if None, the one of n_params, flops, n_tokens and loss that tells most
        scores apart.
    sharp, continuous : str, optional
        Metrics to judge, as in `mirage_test`. One sharp metric of an ability is judged.
    kind, chance
        What the sharp metric is ("em" or "mc") and what guessing scores, for all abilities; if
        None, as its name and the column `chance` say.
    loss : str
        Column of the loss in which thresholds are looked for.
    law : Fit, optional
        Law of that loss that turns thresholds into sizes, best with the draws of `bootstrap`: its
        parameters are correlated. If None, the Chinchilla law is fitted to the finished runs of
        each family, where it has eight of them or more, and drawn 200 times.
    tokens_per_param : float
        Training tokens per parameter at which a size is told.
    width, alpha : float
        As in `mirage_test`.
    n_boot : int
        Draws of each bootstrap.
    level : float
        Coverage that intervals of thresholds aim at.
    seed : int
        Root of the random numbers.
    engine, n_workers
        Where verdicts and thresholds are computed, as in `compute.run`; the numbers are the same.

    Returns
    -------
    DataFrame
        One row a curve; each run is one where `x` changes inside runs. ``attrs`` has `x`, and
        `notes`, a list of what was seen on the way. Columns:

        - its keys: task, metric, and those of family, subtask, n_shots, filter, n_target_tokens,
          run, model and seed that are there;
        - verdict, reason, evidence, and at the end `needs`, what could decide an open one. Empty
          where another metric of the ability is judged: the reason names it;
        - n_scales, n_examples, emergence_score and what else `curve_shapes` returns; shape_reason
          says why a curve was refused;
        - p_break, q_break (corrected over all tasks of the call), p_rev, p_mirage, q_mirage,
          p_link, p_smooth_sharp, pre_share, plateau, eta with eta_lower and eta_upper (in x; where
          the verdict is "genuine"), n_items, items_needed, as `mirage_test` returns them, and
          `p_reason`; of the curves of an ability (its runs, or one through them) n_votes have
          scales enough for a vote, and n_agree this verdict;
        - threshold_loss with its interval, form, method, verdict and reason: `fit_threshold` over
          all runs of the ability; threshold_n_params with its interval, and threshold_size_reason:
          what law it rests on, or why there is none;
        - predicted, lower, upper, level, calibrated, method: empty, with forecast_reason;
        - note: what else to know; in_words: the verdict as a sentence; x.

    Raises
    ------
    TableError
        If there are no scores, a column is absent, or no two scores of a curve differ in scale. A
        curve that cannot be used (two scores at one scale, a percentage) has a row that says so.
    LoadError
        If a path cannot be read.
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> from emergekit.emergence import simulate_world
    >>> table = emergence_table(simulate_world("em K=10"), x="flops")
    >>> table[["metric", "verdict", "n_scales", "reason"]]
            metric verdict  n_scales                     reason
    0  exact_match  mirage        12        no_break_and_linked
    1    token_nll     NaN        12  stands behind exact_match
    """
    tables = _tables(tables)
    _check_options(tokens_per_param, level)
    notes = list[Note]()
    scores, x = _scores(tables, x, notes)
    options = {
        **{"sharp": sharp, "continuous": continuous, "kind": kind, "chance": chance},
        **{"width": width, "alpha": alpha},
        **{"n_boot": n_boot, "seed": seed, "engine": engine, "n_workers": n_workers},
    }
    if loss != "loss":
        require_scale(scores, loss)
    bridge = Bridge(tables.models if len(tables.models) else scores, law, loss, tokens_per_param)
    sound, refused = sound_curves(scores, x, notes)
    table = summarised(sound, x, options, bridge, level=level, refused=refused)
    table.attrs = {"x": x, "notes": notes_table(notes).to_dict("records")}
    return table


def summarised(
    scores: pd.DataFrame,
    x: str,
    options: Mapping[str, Any],
    bridge: Bridge,
    *,
    level: float = 0.95,
    shapes: pd.DataFrame | None = None,
    refused: Sequence[tuple[pd.DataFrame, str]] = (),
    most_thresholds: int | None = None,
) -> pd.DataFrame:
    """Return the table of curves that can be described, and of others that cannot.

    Parameters
    ----------
    scores : DataFrame
        Their scores.
    x : str
        Column of scale.
    options : mapping
        What `mirage_test` takes.
    bridge : Bridge
        From losses to sizes.
    level : float
        Coverage that intervals aim at.
    shapes : DataFrame, optional
        What `curve_shapes` returned for `scores`, if that was asked before.
    refused : sequence of (DataFrame, str)
        Scores of curves that were refused, and why.
    most_thresholds : int, optional
        How many thresholds to fit at most.
    """
    parts = [refused_rows(rows, error) for rows, error in refused]
    if len(scores):
        shapes = curve_shapes(scores, x, seed=options["seed"]) if shapes is None else shapes
        curves = list(split_curves(scores, x))
        verdicts = curve_verdicts(scores, curves, x, options)
        drawn = {name: options[name] for name in ("n_boot", "seed", "engine", "n_workers")}
        losses = curve_thresholds(
            curves, verdicts, bridge.loss, level=level, most=most_thresholds, **drawn
        )
        families = [key.get("family") for key, _ in curves]
        sizes = threshold_sizes(losses, families, bridge, level=level, seed=options["seed"])
        parts.insert(0, pd.concat([shapes, verdicts, losses, sizes], axis=1))
    return laid_out(pd.concat(parts, ignore_index=True), x)


def _tables(given: Tables | pd.DataFrame | str | Path) -> Tables:
    if isinstance(given, str | Path):
        return load(given)
    if isinstance(given, pd.DataFrame):
        if "example_id" in given and "score" not in given:
            raise TableError(
                "emergence_table: these are samples; score them first, "
                "emergence_table(rescore(samples)), or judge them with mirage_test(samples)."
            )
        if given.empty or set(RESULTS.required) - set(given):
            validate(given, RESULTS)  # says what is missing; bad curves have rows of their own
        return Tables(results=given)
    if not isinstance(given, Tables):
        raise TableError(
            f"emergence_table: takes Tables, a DataFrame of results or a path, not "
            f"{kind_of(given)}."
        )
    return given


def _scores(tables: Tables, x: str | None, notes: list[Note]) -> tuple[pd.DataFrame, str]:
    """Return the scores that have a scale, and its name."""
    if tables.results.empty:
        more = "; score the samples first with rescore(samples)" if len(tables.samples) else ""
        raise TableError(f"emergence_table: there are no scores{more}.")
    joined = scores_with_models(tables, notes)
    if x is not None:
        return with_scale(joined, x, notes), x
    known, best = best_scale(joined, notes)
    if best is None:
        raise TableError(f"emergence_table: {NO_SCALE}.")
    return known, best


def _check_options(tokens_per_param: float, level: float) -> None:
    if not tokens_per_param > 0:
        raise ValueError(f"tokens_per_param must be positive; it is {tokens_per_param}.")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; it is {level}.")
