"""Is it a mirage? One verdict a task, with the p-values and effect sizes behind it.

Three questions are asked of each curve. Does its continuous metric need a threshold, or will a
smooth curve do (`hinges`)? Does the sharp metric follow from the continuous one (`links`)? Can the
number of test items tell a smooth curve from a step at all (`resolution`)? What follows stands in
one list (`rules`).

How often the answers are right was measured on simulated curves (`simulation.rates`, which has
the table); the rules were settled while looking at those worlds, so the rates are not those of an
independent trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from emergekit.compute import Engine
from emergekit.emergence.questions.curve_pairs import Options
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH
from emergekit.emergence.questions.links import Kind
from emergekit.emergence.shapes.curves import scale_numbers
from emergekit.emergence.verdicts.composition import results_of_samples
from emergekit.emergence.verdicts.designs import Evidence, group_evidence
from emergekit.emergence.verdicts.families import (
    adjusted,
    combined,
    family_verdict,
    row_p_values,
    voters,
)
from emergekit.emergence.verdicts.item_errors import ItemErrors
from emergekit.emergence.verdicts.pairing import require_metric
from emergekit.emergence.verdicts.pairs import Group, table_pairs
from emergekit.emergence.verdicts.scales import from_axis
from emergekit.errors import TableError, unknown
from emergekit.metrics import METRICS
from emergekit.tables import RESULTS, validate

__all__ = ["mirage_test"]

_MANY = 10
_PLACES = ("eta", "eta_lower", "eta_upper", "plateau_end")
_COLUMNS = (
    *("verdict", "evidence", "reason", "scope", "m", "n_items", "x_range", "plateau"),
    *("plateau_span", "looks_emergent", "rise", "f_top", "p_break", "q_break", "p_rev", "eta"),
    *("rmse_smooth", "rmse_hinge", "pre_share", "p_pre", "p_mirage", "q_mirage", "p_link"),
    *("link_A", "link_b", "link_maxres", "link_r2", "p_smooth_sharp", "expected_hits"),
    *("items_needed", "p_break_sharp", "p_rev_sharp", "n_boot", "transform"),
    *("eta_lower", "eta_upper", "plateau_end", "link", "kind", "chance", "width", "n_runs"),
    *("n_agree", "metric", "continuous", "x", "note"),
)


def mirage_test(
    table: pd.DataFrame,
    x: str = "n_params",
    *,
    sharp: str | None = None,
    continuous: str | None = None,
    kind: Kind | None = None,
    chance: float | None = None,
    width: float = DEFAULT_WIDTH,
    min_width: float | None = None,
    alpha: float = 0.05,
    n_boot: int = 199,
    fdr: Literal["bh"] | None = "bh",
    by_run: bool = False,
    seed: int = 0,
    engine: Engine = "serial",
    n_workers: int | None = None,
) -> pd.DataFrame:
    """Return for every task whether its emergence is a mirage, genuine, or not to be decided.

    Parameters
    ----------
    table : DataFrame
        Results with `x` beside the scores (see `join_models`): a sharp metric with `n_examples`,
        and the continuous one behind it, where there is one. Or samples with `x`: their exact
        matches are held against the product of each item's own token probabilities, and scores of
        models that answered the same items are taken to be off together, as one bootstrap of the
        items for all models would have it (not along a trajectory).
    x : str
        Column of scale. log10 is taken of n_params, n_tokens and flops; a loss is negated; anything
        else is used as it is, larger is better.
    sharp, continuous : str, optional
        Names of the metrics; the registry pairs them if None. The continuous one must be what the
        sharp one is made of (the loss of the same answers), or nothing is "linked".
    kind : {"em", "mc"}, optional
        Exact match or multiple choice; by the metric, else by whether chance is above 0.
    chance : float, optional
        Score of guessing; the column `chance` if None, else 0 for exact match, and for multiple
        choice the pooled score of the smallest scales, with a note.
    width : float
        A rise from 10 to 90 % that takes more than this share of the range is smooth; "genuine" is
        narrower, or has a kink. Read it with `x_range`: adding small models changes the question.
    min_width : float, optional
        The same in decades, or in the unit of x; goes before `width`.
    alpha : float
        Level of every single statement.
    n_boot : int
        Draws of each bootstrap. With more than ten tasks, p-values up to 0.1 are computed again
        with ten times as many: to say "genuine" of N tasks, some of them must break with
        p <= alpha/N or so, and no p-value is below 1/(10 (n_boot + 1)).
    fdr : {"bh"} or None
        Correction of the breaks, and of the mirages, over the tasks of the call.
    by_run : bool
        One row a run where scale changes inside runs, instead of one a family.
    seed : int
        Root of the random numbers; a task's own do not depend on what else is in the table.
    engine, n_workers
        As in `compute.run`.

    Returns
    -------
    DataFrame
        One row per family, task and n_shots (and subtask, filter, n_target_tokens, where given):

        - verdict: genuine, mirage, smooth, resolution_limited or undecided; evidence (continuous,
          implied, sharp, none) and reason; the rules stand in `emergekit.emergence.verdicts.rules`;
        - scope ("run" if all is about one run), m (different scales), n_items (fewest), x_range
          and width (what counts as smooth), in decades or in the unit of x;
        - plateau (scales at chance), plateau_span (share of the range), plateau_end (x),
          looks_emergent, rise, f_top;
        - p_break: a smooth curve breaks as much as the continuous metric; q_break: after the
          correction; p_rev: a curve with a threshold looks as smooth; eta, eta_lower, eta_upper:
          the best threshold in units of x with 95 % of its draws, or its spread over runs;
          rmse_smooth, rmse_hinge, in the unit of the metric (`transform`: of its log). Without a
          continuous metric these are of the sharp one; p_break_sharp and p_rev_sharp always are;
        - pre_share: share of the smooth curve's gain made while the sharp metric sat at chance;
          p_pre: that progress; p_mirage, q_mirage: progress, or a threshold excluded;
        - p_link, link (its form), link_A (effective length), link_b, link_maxres, link_r2;
        - p_smooth_sharp: the counts fit a smooth curve; expected_hits (above chance, on the
          plateau, if so), items_needed (for 95 % chance to see any at its end);
        - n_boot, kind, chance, n_runs, n_agree (runs of this verdict), metric, continuous, x, note.

    Raises
    ------
    TableError
        If `x` or a metric is absent, a scale is no number, a score lies outside its bounds, or two
        scores of one curve share a scale and no run or seed tells them apart.
    ValueError
        If an option is out of range.

    Notes
    -----
    Runs are the unit. Models of a family are the points of one curve; where scale changes inside
    runs (checkpoints), each run is a curve of its own, averaged into at most 24 stretches, and the
    family has the verdict of most of its runs.

    With 99 draws and no correction for many tasks, of simulated tasks without a threshold 0.7 %
    were called genuine at 8, 12 and 20 scales (29 of 3,960; 27 of 1,440 in worlds made after the
    rules) and none at 5; of those with one, 42, 61 and 76 % at 8, 12 and 20. Power comes from
    models with little scatter. The worlds, and more rates, are in
    `emergekit.emergence.simulation.rates`; a correction for many tasks takes power away, with
    8 scales nearly all of it.

    References
    ----------
    Schaeffer et al. 2023 for the hypothesis; the test is ours.

    Examples
    --------
    >>> from emergekit.emergence import simulate_world
    >>> verdict = mirage_test(simulate_world("em K=10"), x="flops").iloc[0]
    >>> verdict["verdict"], verdict["evidence"], float(verdict["link_b"].round(1))
    ('mirage', 'continuous', 0.8)
    """
    options = Options(width, min_width, alpha, n_boot, seed=seed)
    _check_options(options, fdr)
    _check_guessing(kind, chance)
    results, errors = _checked(table, x, sharp, continuous)
    groups = table_pairs(
        results,
        x,
        sharp=sharp,
        continuous=continuous,
        kind=kind,
        chance=chance,
        errors=errors,
    )
    options = replace(options, fine=len(groups) > _MANY)
    evidence = group_evidence(groups, options, engine, n_workers)
    rows = [combined(voters(runs)) for runs in evidence]
    p_values = np.array([row_p_values(voters(runs)) for runs in evidence], dtype=float)
    q_values = np.stack([adjusted(side, fdr) for side in p_values.T], axis=1)
    told: list[dict[str, Any]] = []
    for group, runs, row, (q_break, q_mirage) in zip(groups, evidence, rows, q_values, strict=True):
        row |= {"q_break": float(q_break), "q_mirage": float(q_mirage)}
        told += _rows(group, runs, row, options, x, by_run=by_run)
    keys = [*dict.fromkeys(name for group in groups for name in group.key)]
    return pd.DataFrame(told)[[*keys, *(["run"] if by_run else []), *_COLUMNS]]


def _rows(
    group: Group, runs: Evidence, row: dict[str, Any], options: Options, x: str, *, by_run: bool
) -> list[dict[str, Any]]:
    """Return the row of a family, or those of its runs, with verdicts and in the units of x."""
    q_values = (row["q_break"], row["q_mirage"])
    q_row = {"q_break": q_values[0], "q_mirage": q_values[1]}
    chosen: Sequence[tuple[str | None, dict[str, Any], list[dict[str, Any]]]]
    if by_run:
        chosen = [(name, numbers | q_row, [numbers]) for name, numbers in runs.items()]
    else:
        chosen = [(None, row, voters(runs))]
    told = []
    for name, numbers, members in chosen:
        verdict, n_agree = family_verdict(members, *q_values, options.alpha)
        one_run = len(members) == 1 and None not in runs
        n_short = 0 if by_run else len(runs) - len(members)
        told.append(
            group.key
            | numbers
            | verdict._asdict()
            | _in_units(numbers, x, is_open=verdict.verdict == "undecided")
            | {
                "run": name,
                "scope": "run" if one_run else "family",
                "width": _width(numbers["x_range"], options),
                "n_runs": numbers["m"] if None in runs else len(members),
                "n_agree": n_agree,
                "metric": group.pairing.sharp,
                "continuous": group.pairing.continuous if numbers["has_z"] else None,
                "x": x,
                "note": "; ".join([*group.notes, *_remarks(numbers, n_short)]),
            }
        )
    return told


def _in_units(numbers: dict[str, Any], x: str, *, is_open: bool) -> dict[str, float]:
    """Return the places of a row in the unit of x; on a falling axis an interval turns over.

    A curve that is not judged has no threshold, though its best hinge has one.
    """
    found = {place: from_axis(x, numbers[place]) for place in _PLACES}
    if is_open:
        found |= dict.fromkeys(("eta", "eta_lower", "eta_upper"), np.nan)
    ends = sorted((found["eta_lower"], found["eta_upper"]))
    return found | {"eta_lower": ends[0], "eta_upper": ends[1]}


def _width(x_range: float, options: Options) -> float:
    """Return what counts as smooth, in decades or in the unit of x."""
    return options.width * x_range if options.min_width is None else options.min_width


def _remarks(numbers: dict[str, Any], n_short: int) -> list[str]:
    told = []
    if n_short > 0:
        told.append(f"{n_short} runs with fewer than five scales have no vote")
    if numbers["poor_fit"]:
        told.append("neither shape fits: both are more than 3 standard errors off")
    return told


def _checked(
    table: pd.DataFrame, x: str, sharp: str | None, continuous: str | None
) -> tuple[pd.DataFrame, ItemErrors | None]:
    """Return results that can be judged, from results or samples, or say what is wrong."""
    samples = isinstance(table, pd.DataFrame) and "example_id" in table and "score" not in table
    results, errors = table, None
    if samples:
        results, errors = results_of_samples(table, x, sharp, continuous)
    validate(results, RESULTS)
    results = results.assign(**{x: scale_numbers(results, x)})
    names = list(map(str, results["metric"].unique()))
    require_metric(sharp, names, "sharp")
    require_metric(continuous, names, "continuous")
    if sharp is not None and sharp == continuous:
        raise ValueError(f"sharp and continuous are both {sharp}: a metric cannot explain itself.")
    _check_bounds(results)
    return results, errors


def _check_bounds(results: pd.DataFrame) -> None:
    """Refuse scores that their metric cannot have: a percentage is no share."""
    scores = results["score"].to_numpy(dtype=float)
    names = results["metric"].astype(str)
    ends = {name: _bounds(name) for name in names.unique()}
    low, high = (names.map({name: pair[side] for name, pair in ends.items()}) for side in (0, 1))
    slack = 1e-9
    bad = (scores < low - slack) | (scores > high + slack)
    if bad.any():
        row = results[bad].iloc[0]
        raise TableError(
            f"results: {row['metric']} lies between {low[bad].iloc[0]:g} and "
            f"{high[bad].iloc[0]:g}, but row {row.name} (model {row['model']}, task "
            f"{row['task']}) holds {row['score']:g} ({int(bad.sum())} of {len(results)} rows are "
            f"bad). {_remedy(low[bad].iloc[0], high[bad].iloc[0], row['score'])}"
        )


def _remedy(low: float, high: float, score: float) -> str:
    """Return how a score comes to lie outside its bounds, as a rule."""
    if score < low and low >= 0:
        return "Take the metric as it is, without a minus in front."
    if high == 1:
        return "Divide percentages by 100."
    return "Mend the scores, or give the metric a name of its own."


def _bounds(name: str) -> tuple[float, float]:
    metric = METRICS.get(name.partition("(")[0])
    return metric.bounds if metric is not None else (-np.inf, np.inf)


def _check_guessing(kind: str | None, chance: float | None) -> None:
    if kind not in (None, "em", "mc"):
        raise ValueError(unknown("kind", kind, ["em", "mc"]))
    if chance is not None and not 0 <= chance < 1:
        raise ValueError(f"chance must be a share from 0 to below 1; it is {chance:g}.")


def _check_options(options: Options, fdr: str | None) -> None:
    if not 0 < options.width < 1:
        raise ValueError(f"width is a share of the range, inside (0, 1); it is {options.width:g}.")
    if options.min_width is not None and not options.min_width > 0:
        raise ValueError(f"min_width must be positive; it is {options.min_width:g}.")
    if not 0 < options.alpha < 1:
        raise ValueError(f"alpha must lie inside (0, 1); it is {options.alpha:g}.")
    for name in ("n_boot", "seed"):
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"{name} must be a whole number from 0 on; it is {value!r}.")
    if options.n_boot < 1 / options.alpha - 1:
        raise ValueError(
            f"n_boot={options.n_boot} draws cannot give a p-value of {options.alpha:g}; take "
            f"{int(np.ceil(1 / options.alpha)) - 1} or more."
        )
    if fdr not in ("bh", None):
        raise ValueError(unknown("value of fdr", fdr, ["bh", "None"]))
