"""The report on the tables that come with the package."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from emergekit import datasets, figures, laws
from emergekit.compute import run
from emergekit.figures.mirage import STEEP
from emergekit.reporting.curves import SHAPES_SHOWN
from emergekit.reporting.fits import fit_quietly, fit_section
from emergekit.reporting.section import Section, Sheet
from emergekit.reporting.summary import emergence_table
from emergekit.reporting.verdicts import verdicts_section
from emergekit.reporting.words import SHAPE_TERMS
from emergekit.tables import Tables, join_models

__all__ = ["bundled"]

_PAST_THE_FIRST = 3.1  # nats of C4 loss
_LEAST_EXAMPLES = 30


def bundled() -> tuple[list[Section], pd.DataFrame]:
    """Return the sections on the bundled tables, and the notes of their loaders."""
    parts = [_model, _scores, _verdicts, _letters, _annotated, _open_models, _chinchilla]
    loaded = [datasets.load_bigg(), datasets.load_open_models()]
    notes = pd.concat([tables.notes for tables in loaded], ignore_index=True)
    return run(_made, parts, progress="analysing"), notes


def _made(part: Callable[[], Section]) -> Section:
    return part()


def _model() -> Section:
    figure, curves = figures.mirage.mathematical_model()
    decades = curves[np.log10(curves["n_params"]).round(9) % 1 == 0]
    longest = decades["n_target_tokens"].isna() | (decades["n_target_tokens"] == 5)
    two = decades["n_choices"].isna() | (decades["n_choices"] == 2)
    table = decades[longest & two].pivot(index="n_params", columns="metric", values="score")
    table = table[list(dict.fromkeys(curves["metric"]))].reset_index()
    return Section(
        "mirage-model",
        "One smooth loss, six metrics",
        (
            "A model whose loss falls smoothly with size looks emergent under exact match of long "
            "targets and under the multiple-choice grade, and smooth under edit distance and the "
            "Brier score (Schaeffer et al. 2023, figure 2; the constants are ours).",
        ),
        (Sheet("mirage-model", table, caption="Targets of five tokens, and two choices."),),
        figure,
        "Six panels over model size: cross-entropy and the chance of a right token move smoothly; "
        "exact match bends upwards the later the longer the target; the multiple-choice grade "
        "steps from 0 to 1; edit distance and Brier score, drawn with better up, move smoothly. "
        "The Brier score is the mean over choices, so that a guess among four scores lower than a "
        "guess among two.",
    )


def _scores() -> Section:
    figure, table = figures.mirage.emergence_scores()
    steep = table[table["emergence_score"] > STEEP].sort_values("task")
    tasks = ", ".join(steep["task"])
    generative = int((steep["metric"] == "exact_match").sum())
    said = f"{steep['task'].nunique()} of {table['task'].nunique()}"
    ranked = table.sort_values("emergence_score", ascending=False, ignore_index=True)
    return Section(
        "bigg-curves",
        f"BIG-G: emergence scores of {table['task'].nunique()} tasks by metric",
        (
            f"{said} tasks with 30 or more examples have an emergence score above {STEEP:g}: "
            f"{tasks}. Of these curves, {generative} are generative and scored by exact match, "
            f"{len(steep) - generative} are multiple choice. "
            "An emergence score suggests a jump and does not show one: it knows neither the noise "
            "of the scores nor the spacing of the sizes.",
        ),
        (Sheet("bigg-curves", ranked, SHAPES_SHOWN),),
        figure,
        "One dot a task, one row a metric; the dashed line is our threshold of "
        f"{STEEP:g}. All tasks beyond it are scored by exact match: {tasks}.",
        SHAPE_TERMS,
        ((f"BIG-G tasks with emergence score > {STEEP:g}", f"{said} ({tasks})"),),
    )


def _verdicts() -> Section:
    tables = datasets.load_bigg()
    sharp = tables.results["metric"].isin(["exact_match", "multiple_choice_grade"])
    results = tables.results[sharp & (tables.results["n_examples"] >= _LEAST_EXAMPLES)]
    return verdicts_section(
        emergence_table(Tables(models=tables.models, results=results)),
        join_models(results, tables.models),
        name="verdicts",
        title="BIG-G: is it emergent?",
        line="BIG-G verdicts",
        more=(
            "Twelve sizes and these test sizes show no threshold, and without a continuous metric "
            "no mirage either. The Brier score that comes with these scores is no such metric: it "
            "is that of the top choice's confidence, and contains the grade.",
        ),
        first=("modified_arithmetic", "word_sorting", "linguistic_mappings", "qa_wikidata"),
    )


def _letters() -> Section:
    """Return the section on one test asked in two ways, over loss."""
    tables = datasets.load_olmo_ladder()
    letters = tables.results.query("task == 'mmlu_mc' and subtask == 'mean'")
    ranked = tables.results.query("task == 'mmlu_rc'")
    asked = pd.concat([letters, ranked], ignore_index=True)
    scores = join_models(asked, tables.models)
    # The runs that were asked in both ways, past the first checkpoints, which lie far off.
    scores = scores[scores["run"].isin(letters["model"]) & (scores["loss"] < _PAST_THE_FIRST)]
    return verdicts_section(
        emergence_table(scores, x="loss"),
        scores,
        name="letters",
        title="OLMo 2: MMLU by letters, and the same questions ranked",
        more=(
            "Checkpoints of three runs over their loss on C4. Asked for a letter, the models leave "
            "chance at one loss; where the written-out answers of the same questions are ranked, "
            "they improve all along. That points to the format of the question, and a bias to one "
            "letter that all questions share could hide progress from this accuracy.",
            "The range ends at 3.1 nats by our choice: it comes out so at 2.9 and 3.0 too, but "
            "from 3.15 on one of the three runs is undecided: other checkpoints are averaged.",
        ),
        sheet="emergence_table-letters",
        line="OLMo 2 MMLU verdicts",
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
        (Sheet("annotated-metrics", table),),
        figure,
        "Bars: number of annotated tasks by their preferred metric; "
        + ", ".join(f"{m} {n}" for m, n in zip(table["metric"], table["n_tasks"], strict=True))
        + ".",
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
        (Sheet("open-models", table),),
    )


def _chinchilla() -> Section:
    runs = datasets.load_chinchilla()
    result = fit_quietly(laws.CHINCHILLA, runs[runs["used_in_fit"]])
    figure, _ = figures.scaling.chinchilla(result)
    values = ", ".join(f"{name} {result.params[name]:.4f}" for name in ("E", "alpha", "beta"))
    return fit_section(
        result,
        name="chinchilla",
        title="The Chinchilla law on 240 training runs",
        line=("Chinchilla fit (Huber-log, 240 runs)", values),
        figure=figure,
        caption="Left: loss over model size; colour is compute, lines are the law at six budgets "
        "in FLOPs, hollow points the five runs that the replication leaves out. Right: residuals "
        "of the log loss over compute, with one standard deviation.",
    )
