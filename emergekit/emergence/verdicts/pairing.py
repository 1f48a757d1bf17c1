"""Which metric of a group is the sharp one, and which continuous one stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emergekit import metrics
from emergekit.emergence.questions.links import Kind
from emergekit.errors import TableError, unknown
from emergekit.laws.axis import axis_of

__all__ = ["Pairing", "loss_scale", "pair_metrics", "require_metric"]

# The likelihood is what a sharp metric is made of; a distance between texts is further away.
_BEST = ("token_nll", "bits_per_byte", "p_correct_choices", "cross_entropy_choices", "brier_mean")


class Pairing(NamedTuple):
    """The metrics of one curve, None where there is none, and what to know about the choice."""

    sharp: str | None
    continuous: str | None
    kind: Kind | None
    note: str


def pair_metrics(names: Sequence[str], sharp: str | None, continuous: str | None) -> Pairing:
    """Return the pair among the metrics of one group.

    Parameters
    ----------
    names : sequence of str
        Metrics of the group.
    sharp, continuous : str, optional
        Names to take; the registry pairs them if None.

    Returns
    -------
    Pairing
        With several sharp metrics, the first of the registry. The continuous one is the best of its
        counterparts there (the likelihood before a distance of texts); a metric that the registry
        does not know is taken as continuous if it is the only other one. `kind` is None where
        nothing says whether there were choices.

    Examples
    --------
    >>> pair_metrics(["token_edit_distance", "exact_match", "token_nll"], None, None)[:3]
    ('exact_match', 'token_nll', 'em')
    """
    chosen, note = _sharp(names, sharp)
    if chosen is None:
        return Pairing(None, None, None, note)
    kind = _kind(chosen)
    if continuous is not None:
        return Pairing(chosen, continuous if continuous in names else None, kind, note)
    found, said = _continuous([name for name in names if name != chosen], chosen)
    return Pairing(chosen, found, kind, "; ".join(filter(None, (note, said))))


def require_metric(name: str | None, names: Sequence[str], argument: str) -> None:
    """Raise a `TableError` where a metric that was asked for is nowhere in the table."""
    if name is not None and name not in names:
        raise TableError(f"results: {unknown(f'metric for {argument}=', name, names)}")


def loss_scale(name: str) -> str | None:
    """Return whether a metric is a positive loss, the exponential of one, or neither.

    Examples
    --------
    >>> loss_scale("token_nll"), loss_scale("wikitext_ppl"), loss_scale("brier_sum")
    ('loss', 'perplexity', None)
    """
    kind = axis_of(_base(name), None).kind
    return {"falling": "loss", "falling_log10": "perplexity"}.get(kind)


def _base(name: str) -> str:
    return {"p_correct": "p_correct_choices"}.get(name, name).partition("(")[0]


def _sharp(names: Sequence[str], asked: str | None) -> tuple[str | None, str]:
    if asked is not None:
        return (asked, "") if asked in names else (None, f"metric {asked} is not there")
    order = list(metrics.METRICS)
    known = [name for name in names if _is_sharp(_base(name))]
    if not known:
        return None, "no sharp metric is known among them; name it with sharp="
    known.sort(key=lambda name: order.index(_base(name)))
    rest = f"sharp metrics left out: {', '.join(known[1:])}" if known[1:] else ""
    return known[0], rest


def _is_sharp(base: str) -> bool:
    metric = metrics.METRICS.get(base)
    return metric is not None and not metric.continuous and metric.scorer is not None


def _continuous(others: Sequence[str], sharp: str) -> tuple[str | None, str]:
    base = _base(sharp)
    counterparts = list(
        metrics.continuous_counterparts(base)
        if base in metrics.METRICS
        else (name for name, metric in metrics.METRICS.items() if metric.continuous)
    )
    counterparts.sort(key=lambda name: _BEST.index(name) if name in _BEST else len(_BEST))
    known = [name for name in others if _base(name) in counterparts]
    if known:
        return min(known, key=lambda name: counterparts.index(_base(name))), ""
    if len(others) == 1 and _base(others[0]) not in metrics.METRICS:
        return others[0], f"{others[0]} is taken as continuous: the registry does not know it"
    return None, ""


def _kind(sharp: str) -> Kind | None:
    metric = metrics.METRICS.get(_base(sharp))
    if metric is None:
        return None
    return "mc" if metric.requires[0].startswith("choice") else "em"
