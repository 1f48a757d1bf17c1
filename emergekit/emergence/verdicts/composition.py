"""From samples to the results that a verdict needs: sharp score, likelihood, and composition.

The chance that a whole target comes out is the product of its tokens' probabilities, item by item.
A power of the mean loss is something else: over unequal items it is too small where the loss is
high, and by up to 0.07 of a score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from emergekit.emergence.verdicts.item_errors import ItemErrors, item_errors
from emergekit.emergence.verdicts.points import COMPOSED
from emergekit.errors import TableError
from emergekit.metrics import METRICS, rescore
from emergekit.metrics.inputs import Inputs
from emergekit.tables import SAMPLES, validate

__all__ = ["composed_scores", "results_of_samples"]

_KEYS = ("model", "task", "run", "step", "seed", "subtask", "n_shots", "filter")
_WHOLE = "target_nll"
_TEXT, _CHOICE = ("exact_match", "token_nll"), ("multiple_choice_grade", "p_correct_choices")


def results_of_samples(
    samples: pd.DataFrame, x: str, sharp: str | None, continuous: str | None
) -> tuple[pd.DataFrame, ItemErrors | None]:
    """Return results with `x`, family, chance, and the composed score of exact matches.

    Beside them, what each item adds to the error of each score.

    Parameters
    ----------
    samples : DataFrame
        `SAMPLES` with the column `x`; with `token_logprobs` or `logprob` beside `prediction` and
        `target`, or with `choice_logprobs` and `gold`.
    x : str
        Column of scale, one value a checkpoint.
    sharp, continuous : str, optional
        Metrics to score; exact match and loss per token ("target_nll", per target, where the
        number of tokens is not known), or grade and probability of the right choice, if None.
    """
    validate(samples, SAMPLES)
    if x not in samples:
        raise TableError(
            f"samples: scale '{x}' is absent; join_models(samples, models) puts it beside them."
        )
    whole = _of_whole_targets(samples)
    chosen = _metrics(whole, sharp, continuous)
    keys = [name for name in _KEYS if name in samples]
    results = rescore(whole, chosen, by=keys)
    beside = [name for name in (x, "family") if name in samples]
    scales = samples[[*keys, *beside]].drop_duplicates()
    _check_one_scale(scales, keys, x)
    results = results.merge(scales, on=keys, how="left")
    composed = composed_scores(samples, keys)
    if composed is not None:
        results = results.merge(composed, on=keys, how="left")
    errors = item_errors(whole, results, keys)
    if whole is not samples:
        results["metric"] = results["metric"].replace("token_nll", _WHOLE)
    return results, errors


def _of_whole_targets(samples: pd.DataFrame) -> pd.DataFrame:
    """Return samples whose targets count as one token each, if nothing says how many they have.

    The loss is then that of a whole target. It differs from the loss per token by a factor, which
    the logarithm makes a shift, and a verdict does not see.
    """
    lengths = {"token_logprobs", "n_target_tokens"} & set(samples)
    return samples.assign(n_target_tokens=1) if "logprob" in samples and not lengths else samples


def composed_scores(samples: pd.DataFrame, keys: list[str]) -> pd.DataFrame | None:
    r"""Return the expected exact match from each item's own tokens, None without log-probabilities.

    .. math:: \hat f = \frac{1}{n} \sum_j \exp\Big(\sum_k \log p_{jk}\Big), \qquad
              \mathrm{var} = \frac{1}{n^2} \sum_j \hat p_j (1 - \hat p_j)
    """
    if not {"token_logprobs", "logprob"} & set(samples) or "target" not in samples:
        return None
    p = np.exp(np.minimum(_log_probabilities(samples), 0.0))
    table = samples[keys].assign(p=p, v=p * (1 - p), n=1.0)[~np.isnan(p)]
    sums = table.groupby(keys, dropna=False, as_index=False)[["p", "v", "n"]].sum()
    composed, variance = sums["p"] / sums["n"], sums["v"] / sums["n"] ** 2
    found: pd.DataFrame = sums[keys].copy()
    found[COMPOSED[0]], found[COMPOSED[1]] = composed, variance
    return found


def _log_probabilities(samples: pd.DataFrame) -> np.ndarray:
    """Return the log-probability of each whole target, from its tokens where they are given."""
    inputs = Inputs(samples)
    total = np.full(len(samples), np.nan)
    if "logprob" in inputs:
        total = inputs.numbers("logprob").astype(float)
    if "token_logprobs" in inputs:
        sizes, values = inputs.lists("token_logprobs")
        owner = np.repeat(np.arange(len(sizes)), np.maximum(sizes, 0))
        sums = np.bincount(owner, values, minlength=len(sizes))
        total = np.where(sizes > 0, sums, total)
    return total


def _metrics(samples: pd.DataFrame, sharp: str | None, continuous: str | None) -> list[str]:
    text = {"prediction", "target"} <= set(samples)
    if sharp is None and not text and "choice_logprobs" not in samples:
        raise TableError(
            "samples: a verdict needs 'prediction' and 'target', or 'choice_logprobs' and 'gold'; "
            f"the table has {', '.join(map(str, samples.columns))}."
        )
    usual = _TEXT if text else _CHOICE
    chosen = [sharp or usual[0]]
    if continuous is not None:
        return [*chosen, continuous]
    needs = METRICS[usual[1]].requires if chosen[0] == usual[0] else ()
    there = needs and all(any(part in samples for part in need.split("|")) for need in needs)
    return [*chosen, usual[1]] if there else chosen


def _check_one_scale(scales: pd.DataFrame, keys: list[str], x: str) -> None:
    several = scales.duplicated(keys, keep=False)
    if several.any():
        model = scales.loc[several, "model"].iloc[0]
        values = scales.loc[several & scales["model"].eq(model), x].head(2).tolist()
        raise TableError(
            f"samples: model {model} has several values of '{x}' or family in one task, such as "
            f"{values}; name its checkpoints in a column 'step'."
        )
