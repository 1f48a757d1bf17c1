"""What the tables hold: columns, units and keys of models, samples and results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from emergekit.errors import TableError, no_frame

__all__ = [
    "MODELS",
    "RESULTS",
    "SAMPLES",
    "Column",
    "Schema",
    "Tables",
    "notes_table",
]

Kind = Literal["text", "number", "positive", "nonnegative", "count", "flag", "any"]


@dataclass(frozen=True)
class Column:
    """One column of a schema.

    Parameters
    ----------
    name : str
        Column name.
    kind : {"text", "number", "positive", "nonnegative", "count", "flag", "any"}
        What its values are: "positive" is a number above 0, "nonnegative" one from 0 on, "count" a
        whole number from 0 on.
    meaning : str
        What it says, with its unit.
    key : bool
        Whether it helps to tell rows apart.
    required : bool
        Whether it must be there, without gaps.
    """

    name: str
    kind: Kind
    meaning: str
    key: bool = False
    required: bool = False


@dataclass(frozen=True)
class Schema:
    """Names, kinds and keys of the columns of one table."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, keys first."""
        return tuple(column.name for column in self.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the columns that together tell rows apart."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)


_RUN = (
    Column("run", "any", "name of the training run, the unit of inference", key=True),
    Column("step", "count", "training step of the checkpoint", key=True),
    Column("seed", "any", "seed of the training run", key=True),
)
_TASK = (
    Column("model", "text", "name of the model", key=True, required=True),
    Column("task", "text", "name of the task", key=True, required=True),
)
_SETTING = (
    Column("subtask", "any", "name of the subtask", key=True),
    Column("n_shots", "count", "worked examples in the prompt", key=True),
    Column("filter", "any", "how the answer was taken out of the output", key=True),
)

MODELS = Schema(
    "models",
    (
        Column("model", "text", "name of the model", key=True, required=True),
        *_RUN,
        Column("family", "any", "models that differ only in scale"),
        Column("n_params", "positive", "parameters N, count"),
        Column("n_params_kind", "any", "total, non-embedding or active"),
        Column("n_tokens", "nonnegative", "training tokens D, count"),
        Column("flops", "nonnegative", "training compute C, FLOPs"),
        Column("loss", "positive", "cross-entropy L, nats per token"),
        Column("loss_dataset", "any", "text that the loss was measured on"),
    ),
)

SAMPLES = Schema(
    "samples",
    (
        *_TASK,
        Column("example_id", "any", "name of the example", key=True, required=True),
        *_RUN,
        *_SETTING,
        Column(
            "repeat", "count", "number of the answer, when an example is answered again", key=True
        ),
        Column("target", "any", "right answer, text or list of texts"),
        Column("prediction", "any", "answer of the model, text"),
        Column("choices", "any", "list of K choice texts"),
        Column("gold", "any", "index of the right choice, or list of indices"),
        Column("choice_scores", "any", "list of K target scores (soft targets)"),
        Column("choice_logprobs", "any", "list of K log-probabilities, nats"),
        Column("choice_logprobs_unconditional", "any", "the same without the question, nats"),
        Column("choice_chars", "any", "list of K lengths, characters"),
        Column("choice_bytes", "any", "list of K lengths, bytes"),
        Column("choice_tokens", "any", "list of K lengths, tokens"),
        Column("token_logprobs", "any", "list of log-probabilities of the target's tokens, nats"),
        Column("logprob", "number", "log-probability of the whole target, nats"),
        Column("n_words", "count", "length of the target, words"),
        Column("n_bytes", "count", "length of the target, bytes"),
        Column("n_target_tokens", "count", "length of the target K, tokens"),
        Column("cluster", "any", "examples that belong together, for standard errors"),
    ),
)

RESULTS = Schema(
    "results",
    (
        *_TASK,
        Column("metric", "text", "name of the metric", key=True, required=True),
        *_RUN,
        *_SETTING,
        Column("n_target_tokens", "count", "length of the target K, tokens", key=True),
        Column(
            "score", "number", "the score; a fraction where the metric is a share", required=True
        ),
        Column("stderr", "nonnegative", "standard error of the score"),
        Column("n_examples", "count", "examples behind the score"),
        Column("chance", "number", "score of a guess"),
        Column("lower", "number", "lower end of the interval of the score"),
        Column("upper", "number", "upper end of the interval of the score"),
        Column("low", "number", "lowest possible score, as the harness states it"),
        Column("high", "number", "highest possible score, as the harness states it"),
        Column("higher_is_better", "flag", "direction of the metric"),
        Column("source", "any", "file or publication"),
    ),
)

_NOTE_COLUMNS = ("severity", "file", "field", "message")


def notes_table(notes: Iterable[tuple[str, str, str, str]] = ()) -> pd.DataFrame:
    """Return the table of everything odd that was seen: severity, file, field, message."""
    return pd.DataFrame(list(notes), columns=list(_NOTE_COLUMNS), dtype=object)


def _empty(schema: Schema) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in schema.required})


@dataclass(frozen=True)
class Tables:
    """What a loader returns: the three tables, empty where there is nothing, and its notes."""

    models: pd.DataFrame = field(default_factory=lambda: _empty(MODELS))
    samples: pd.DataFrame = field(default_factory=lambda: _empty(SAMPLES))
    results: pd.DataFrame = field(default_factory=lambda: _empty(RESULTS))
    notes: pd.DataFrame = field(default_factory=notes_table)

    def __post_init__(self) -> None:
        """Refuse what is no pandas DataFrame, before anything asks it for its rows."""
        for name, table in vars(self).items():
            if not isinstance(table, pd.DataFrame):
                raise TableError(f"{name}: {no_frame(table)}")

    def __repr__(self) -> str:
        spans = {"models": ["family"], "samples": ["model", "task"]}
        spans["results"] = ["model", "task", "metric"]
        lines = [_line(name, getattr(self, name), keys) for name, keys in spans.items()]
        counts = self.notes["severity"].value_counts()
        said = ", ".join(f"{count} {severity}" for severity, count in counts.items())
        return "\n".join(["Tables", *lines, _sized("notes", len(self.notes), said)])


def _line(name: str, table: pd.DataFrame, keys: Sequence[str]) -> str:
    parts = [_counted(key, table[key].nunique()) for key in keys if key in table and len(table)]
    return _sized(name, len(table), " x ".join(parts))


def _sized(name: str, n_rows: int, said: str) -> str:
    return f"{name:<8} {n_rows:>9,} row{'' if n_rows == 1 else 's'}{said and f' ({said})'}"


def _counted(name: str, count: int) -> str:
    several = "families" if name == "family" else f"{name}s"
    return f"{count:,} {name if count == 1 else several}"
