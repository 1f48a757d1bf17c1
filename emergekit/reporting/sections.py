"""The parts of a report: each a heading, words, a figure and its table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emergekit import datasets, figures, laws
from emergekit.compute import run
from emergekit.emergence.curves import curve_shapes
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import Fit, fit
from emergekit.plots.axes import literal, panels
from emergekit.plots.curves import plot_curves
from emergekit.tables import Tables, join_models, notes_table

__all__ = ["Section", "analyse", "bundled"]

_SCALES = ("n_params", "flops", "n_tokens", "loss")
_SHAPES = (
    "family",
    "task",
    "metric",
    "n_scales",
    "score_first",
    "score_last",
    "emergence_score",
    "linearity",
    "increment_gini",
    "largest_increment_share",
    "n_examples",
)
_JUMP = 20.0  # emergence score from which a curve is called steep in words; the paper states none


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Parameters
    ----------
    name : str
        Short name, also of the CSV file.
    title : str
        Heading.
    words : tuple of str
        Paragraphs.
    table : DataFrame, optional
        Written whole.
    show : tuple of str
        Columns of the table that the page shows; all of them if empty.
    figure : Figure, optional
        Drawn above the table.
    lines : tuple of (str, str)
        What to print at the end of a run: a name and a value.
    """

    name: str
    title: str
    words: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    show: tuple[str, ...] = ()
    figure: Figure | None = None
    lines: tuple[tuple[str, str], ...] = field(default=())


def bundled() -> list[Section]:
    """Return the report on the bundled tables."""
    parts = [_model, _scores, _annotated, _open_models, _chinchilla, _bundled_notes]
    return run(_made, parts, progress="analysing")


def _made(part: Callable[[], Section]) -> Section:
    return part()


def analyse(tables: Tables) -> list[Section]:
    """Return the report on a user's tables: what its columns allow.

    Raises
    ------
    TableError
        If there is neither a curve to describe nor a law to fit.
    """
    notes = list[tuple[str, str, str, str]]()
    sections = list[Section]()
    if len(tables.results):
        joined = _with_models(tables, notes)
        shapes, x = _shapes(joined, notes)
        sections += [_curves(joined, shapes, x), _by_metric(shapes)] if x else []
    sections += _laws(tables.models, notes)
    if not sections:
        said = "; ".join(message for *_, message in notes) or "the tables are empty"
        raise TableError(f"Nothing to report: {said}.")
    return [*sections, _notes(tables.notes, notes)]


def _model() -> Section:
    figure, curves = figures.mirage.mathematical_model()
    decades = curves[np.log10(curves["n_params"]).round(9) % 1 == 0]
    longest = decades["n_target_tokens"].isna() | (decades["n_target_tokens"] == 5)
    two = decades["n_choices"].isna() | (decades["n_choices"] == 2)
    table = decades[longest & two].pivot(index="n_params", columns="metric", values="score")
    return Section(
        "mirage-model",
        "One smooth loss, six metrics",
        (
            "A model whose loss falls smoothly with size looks emergent under exact match of long "
            "targets and under the multiple-choice grade, and smooth under edit distance and the "
            "Brier score (Schaeffer et al. 2023, figure 2; the constants are ours).",
            "The table has targets of five tokens, and two choices.",
        ),
        table[list(dict.fromkeys(curves["metric"]))].reset_index(),
        figure=figure,
    )


def _scores() -> Section:
    figure, table = figures.mirage.emergence_scores()
    steep = table[table["emergence_score"] > _JUMP].sort_values("task")
    tasks = ", ".join(steep["task"])
    generative = int((steep["metric"] == "exact_match").sum())
    said = f"{steep['task'].nunique()} of {table['task'].nunique()}"
    return Section(
        "bigg-curves",
        f"BIG-G: emergence scores of {table['task'].nunique()} tasks by metric",
        (
            f"{said} tasks with 30 or more examples have an emergence score above {_JUMP:g}: "
            f"{tasks}. Of these curves, {generative} are generative and scored by exact match, "
            f"{len(steep) - generative} are multiple choice. "
            "An emergence score suggests a jump and does not show one: it knows neither the noise "
            "of the scores nor the spacing of the sizes.",
        ),
        table.sort_values("emergence_score", ascending=False, ignore_index=True),
        _SHAPES,
        figure,
        (("BIG-G tasks with emergence score > 20", f"{said} ({tasks})"),),
    )


def _annotated() -> Section:
    figure, table = figures.mirage.annotated_metrics()
    share = table["share"].iloc[:2].sum()
    top = f"{table['n_tasks'].iloc[:2].sum()}/{table['n_tasks'].sum()} = {share:.1%}"
    return Section(
        "annotated-metrics",
        "Which metrics the annotated abilities were seen under",
        (
            f"Of the tasks that Wei et al. 2022 call emergent, {top} are scored by the "
            "multiple-choice grade or by exact string match.",
        ),
        table,
        figure=figure,
        lines=(("annotated emergent tasks under two sharp metrics", top),),
    )


def _open_models() -> Section:
    opened = datasets.load_open_models()
    whole = opened.results[opened.results["subtask"].isna()]
    joined = join_models(whole, opened.models).dropna(subset="flops")
    wide = joined.pivot(index=["task", "flops", "model"], columns="metric", values="score")
    wide = wide.reset_index(["task", "flops"])
    ranks = wide.groupby("task").corr("spearman", numeric_only=True)["flops"].unstack()
    table = pd.DataFrame(
        {
            "task": ranks.index,
            "n_models": wide.groupby("task").size().to_numpy(),
            "spearman_acc": ranks["acc"].to_numpy(),
            "spearman_target_brier": -ranks["target_brier"].to_numpy(),
        }
    )
    return Section(
        "open-models",
        "Open models: rank correlation with training compute",
        (
            "Spearman correlation of training compute with accuracy and with the negated Brier "
            "score of the right choice, over open models of many families. Models were trained on "
            "different data, so this is no scaling curve.",
        ),
        table,
    )


def _chinchilla() -> Section:
    figure, _ = figures.scaling.chinchilla()
    runs = datasets.load_chinchilla()
    result = _quiet_fit(laws.CHINCHILLA, runs[runs["used_in_fit"]])
    values = result.params
    return Section(
        "chinchilla",
        "The Chinchilla law on 240 training runs",
        (str(result.law.formula), *result.warnings),
        result.to_frame(),
        figure=figure,
        lines=(
            (
                "Chinchilla fit (Huber-log, 240 runs)",
                f"E {values['E']:.4f}, alpha {values['alpha']:.4f}, beta {values['beta']:.4f}",
            ),
        ),
    )


def _bundled_notes() -> Section:
    loaded = [datasets.load_bigg(), datasets.load_open_models()]
    return _notes(pd.concat([part.notes for part in loaded], ignore_index=True), [])


def _with_models(tables: Tables, notes: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    if tables.models.empty:
        return tables.results
    joined = join_models(tables.results, tables.models, missing="keep")
    unknown = sorted(set(joined["model"]) - set(tables.models["model"]))
    if unknown:
        notes.append(
            ("warning", "", "model", f"not in the models table: {', '.join(unknown[:10])}")
        )
    return joined


def _shapes(
    joined: pd.DataFrame, notes: list[tuple[str, str, str, str]]
) -> tuple[pd.DataFrame, str | None]:
    """Return the shapes of the curves over the first scale that the table has."""
    for x in _SCALES:
        if x not in joined or joined[x].notna().sum() < 2:
            continue
        known = joined[joined[x].notna()]
        if len(known) < len(joined):
            gone = f"{len(joined) - len(known)} of {len(joined)} scores"
            notes.append(("warning", "", x, f"{gone} have no {x} and are in no curve"))
        return curve_shapes(known, x=x), x
    names = " or ".join(_SCALES)
    notes.append(("warning", "", "", f"no curves: no two scores have a scale ({names})"))
    return pd.DataFrame(), None


def _curves(joined: pd.DataFrame, shapes: pd.DataFrame, x: str) -> Section:
    order = (
        shapes["emergence_score"].fillna(0).abs().sort_values(ascending=False, kind="stable").index
    )
    ranked = shapes.loc[order].reset_index(drop=True)
    steep = int((ranked["emergence_score"] > _JUMP).sum())
    return Section(
        "curves",
        f"{len(shapes)} curves over {x}",
        (
            f"{steep} of {len(shapes)} curves have an emergence score above {_JUMP:g}. It suggests "
            "a jump and does not show one: with few examples, or few sizes, noise alone makes it "
            "large or infinite.",
        ),
        ranked,
        _SHAPES,
        _small_multiples(joined[joined[x].notna()], list(dict.fromkeys(ranked["task"]))[:12], x),
        (("curves", f"{len(shapes)} over {x}, {steep} with emergence score > {_JUMP:g}"),),
    )


def _small_multiples(joined: pd.DataFrame, tasks: Sequence[str], x: str) -> Figure:
    columns = min(3, len(tasks))
    rows = int(np.ceil(len(tasks) / columns))
    figure, axes = panels(rows, columns, width=3.3, height=2.5)
    for ax, task in zip(axes, tasks, strict=False):
        plot_curves(joined[joined["task"] == task], x, ax=ax)
        ax.set_title(literal(str(task)[:40]), loc="left", fontsize="medium")
    for ax in axes[len(tasks) :]:
        ax.set_axis_off()
    handles = {
        text: handle
        for ax in axes
        for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    if len(handles) <= 12:
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False
        )
    return figure


def _by_metric(shapes: pd.DataFrame) -> Section:
    groups = shapes.groupby("metric", sort=False)
    table = pd.DataFrame(
        {
            "n_curves": groups.size(),
            "median_emergence_score": groups["emergence_score"].median(),
            "share_above_20": groups["emergence_score"].agg(
                lambda scores: float((scores > _JUMP).mean())
            ),
            "median_linearity": groups["linearity"].median(),
            "median_increment_gini": groups["increment_gini"].median(),
        }
    ).reset_index()
    return Section(
        "metrics",
        "The same abilities under each metric",
        ("A mirage of the metric shows as high scores under sharp metrics only.",),
        table,
    )


def _laws(models: pd.DataFrame, notes: list[tuple[str, str, str, str]]) -> list[Section]:
    """Return one section for every law whose columns the models fill."""
    sections = []
    for law in laws.LAWS:
        names = [*law.variables, law.response]
        if not set(names) <= set(models):
            continue
        runs = models.dropna(subset=names)
        try:
            result = _quiet_fit(law, runs)
        except (TableError, FitError) as error:
            notes.append(("warning", "", law.name, f"not fitted: {error}"))
            continue
        sections.append(_law(result))
    return sections


def _law(result: Fit) -> Section:
    figure, (ax,) = panels(1, 1, width=4.6, height=3.6)
    result.plot(ax=ax)
    values = ", ".join(f"{name} {value:.4g}" for name, value in result.params.items())
    return Section(
        f"fit-{result.law.name}",
        f"Law {result.law.name} on {len(result.data)} models",
        (result.law.formula, *result.warnings),
        result.to_frame(),
        figure=figure,
        lines=((f"{result.law.name} fit", values),),
    )


def _quiet_fit(law: laws.Law, runs: pd.DataFrame) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the page prints them beside the fit
        return fit(law, runs)


def _notes(seen: pd.DataFrame, more: Sequence[tuple[str, str, str, str]]) -> Section:
    table = pd.concat([seen, notes_table(more)], ignore_index=True)
    words = ("What was seen on the way.",) if len(table) else ("Nothing odd was seen.",)
    return Section("notes", "Notes", words, table if len(table) else None)
