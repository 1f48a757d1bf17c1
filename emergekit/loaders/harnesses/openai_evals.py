"""Logs of OpenAI evals: JSONL of one `spec`, one `final_report`, and events, in any order.

Verified against one real log, of ``match`` events; ``metrics``, ``pick_option``, ``cond_logp`` and
``error`` follow the source of the harness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emergekit.files import Note
from emergekit.loaders import documents
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, given, outline, read_lines
from emergekit.loaders.harnesses.scales import SHARE, UNKNOWN, columns_of
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "openai_evals"
ABOUT = "logs of OpenAI evals, by lines with spec, final_report and events"

_SCALES = MappingProxyType(dict.fromkeys(("accuracy", "f1", "f1_score"), SHARE))
_STDERRS = ("boostrap_std", "bootstrap_std")  # the first is how the harness spells it

Row = dict[str, Any]


@dataclass
class _Log:
    """What the lines of a log hold, once they are sorted."""

    spec: tuple[Row, Place] | None = None
    report: tuple[Row, Place] | None = None
    events: dict[str, list[tuple[str, Row, Place]]] = field(default_factory=dict)
    n_errors: int = 0


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape not in ("lines", "object"):
        return 0.0
    if seen.has("spec") and {"eval_name", "run_id"} & seen.inner.get("spec", frozenset()):
        return 0.95
    if seen.has("run_id", "event_id", "type", "data"):
        return 0.9
    return 0.8 if list(seen.fields) == ["final_report"] else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a log.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    log = _sorted_lines(path)
    if log.spec is None:
        raise Place(path).error("no line has a 'spec', which names model and task; mend the file.")
    shared, notes = _shared(*log.spec), list[Note]()
    samples, lines = list[Row](), list[int]()
    for name, events in log.events.items():
        for line, row in _samples(events):
            samples.append(shared | {"example_id": name} | row)
            lines.append(line)
    results = [shared | row for row in _results(log)]
    notes += _oddities(log, path)
    models = [{"model": shared["model"]}]
    return assembled(
        path, models=models, samples=samples, results=results, notes=notes, lines=lines
    )


def _sorted_lines(path: Path) -> _Log:
    log = _Log()
    for line, record in read_lines(path):
        place = Place(path, line)
        for name in ("spec", "final_report"):
            said = given(record, name, dict, place)
            if said is None:
                continue
            attribute = "spec" if name == "spec" else "report"
            if getattr(log, attribute) is not None:
                raise place.at(name).error("is there twice: the file holds two runs; split it.")
            setattr(log, attribute, (said, place.at(name)))
        if "type" in record:
            kind = documents.field(record, "type", str, place)
            data = given(record, "data", dict, place) or {}
            log.n_errors += kind == "error"
            if record.get("sample_id") is not None:
                name = documents.field(record, "sample_id", str, place)
                log.events.setdefault(name, []).append((kind, data, place.at("data")))
    return log


def _shared(spec: Row, place: Place) -> Row:
    name = documents.field(spec, "eval_name", str, place)
    base = given(spec, "base_eval", str, place) or name
    return {
        "model": _model(spec, place),
        "task": base,
        "subtask": name.removeprefix(base).lstrip(".") or None,
        "n_shots": _argument(spec, "num_few_shot", place),
        "harness": "OpenAI evals",
        "evaluation": given(spec, "run_id", str, place),
    }


def _model(spec: Row, place: Place) -> str:
    """Return the completion functions; older logs name models instead."""
    if spec.get("completion_fns") is None and spec.get("model_name") is not None:
        return documents.field(spec, "model_name", str, place)
    names = documents.field(spec, "completion_fns", list, place)
    texts = [documents.as_text(name, place.at("completion_fns")) for name in names]
    if not texts:
        raise place.at("completion_fns").error("is empty; it must name the model. Mend the file.")
    return "+".join(texts)


def _argument(spec: Row, name: str, place: Place) -> int | None:
    inside = place.at("run_config")
    config = given(spec, "run_config", dict, place) or {}
    said = given(config, "eval_spec", dict, inside) or {}
    arguments = given(said, "args", dict, inside.at("eval_spec")) or {}
    return given(arguments, name, int, inside.at("eval_spec").at("args"))


def _results(log: _Log) -> Iterator[Row]:
    if log.report is None:
        return
    said, place = log.report
    numbers = {
        name: documents.as_number(value, place.at(name))
        for name, value in said.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    stderr = next((numbers[name] for name in _STDERRS if name in numbers), None)
    kinds = [{kind for kind, *_ in events} for events in log.events.values()]
    counts = (sum(kind in of for of in kinds) for kind in ("match", "pick_option", "metrics"))
    n = next((count for count in counts if count), None)
    for name, value in numbers.items():
        if name in _STDERRS or name.startswith("counts/"):
            continue
        is_mean = name == "accuracy"
        yield {
            "metric": name,
            "score": value,
            "stderr": stderr if is_mean else None,
            "n_examples": n,
            **columns_of(_SCALES.get(name, UNKNOWN), value),
        }


def _samples(events: list[tuple[str, Row, Place]]) -> Iterator[tuple[int, Row]]:
    """Yield the line and the row of each answer to one example."""
    shared, answers = Row(), list[tuple[int, Row]]()
    choices: dict[str, float] = {}
    for kind, data, place in events:
        line = place.line or 0
        if kind == "match":
            answers.append((line, _match(data, place)))
        elif kind == "pick_option":
            options = given(data, "options", list, place)
            answers.append((line, {"prediction": _text(data.get("picked")), "choices": options}))
        elif kind == "cond_logp":
            completion = documents.field(data, "completion", str, place)
            choices[completion] = documents.field(data, "logp", float, place)
            shared.setdefault("line", line)
        elif kind == "metrics":
            shared |= {f"reported_{n}": v for n, v in data.items() if isinstance(v, int | float)}
            shared.setdefault("line", line)
        elif kind == "sampling":
            shared.setdefault("output", _text(data.get("sampled")))
            shared.setdefault("line", line)
    line = shared.pop("line", 0)
    if len(choices) == 1:
        shared["logprob"] = next(iter(choices.values()))
    elif choices:
        shared |= {"choices": list(choices), "choice_logprobs": list(choices.values())}
    if not answers and shared:
        answers = [(line, {})]
    for number, (where, answer) in enumerate(answers):
        row = shared | answer | ({"repeat": number} if len(answers) > 1 else {})
        if row.get("prediction") is None:
            row["prediction"] = row.get("output")
        yield where, row


def _match(data: Row, place: Place) -> Row:
    expected = data.get("expected")
    is_right = given(data, "correct", bool, place)
    return {
        "target": expected if isinstance(expected, list) else _text(expected),
        "prediction": _text(data.get("sampled")),
        "picked": _text(data.get("picked")),
        "reported_accuracy": None if is_right is None else float(is_right),
    }


def _text(value: object) -> str | None:
    """Return an answer as text; of several the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None else str(value)


def _oddities(log: _Log, path: Path) -> Iterator[Note]:
    where = str(path)
    if log.report is None:
        yield ("warning", where, "final_report", "no line has the final report: it did not end")
    if log.n_errors:
        yield ("warning", where, "events", f"{log.n_errors} requests broke; see the events 'error'")
    spec, place = log.spec or ({}, Place(path))
    config = given(spec, "run_config", dict, place) or {}
    limit = given(config, "max_samples", int, place.at("run_config"))
    if limit is not None:
        yield ("warning", where, "limit", f"at most {limit} examples were asked (max_samples)")
