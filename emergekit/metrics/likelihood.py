"""Metrics of the probability that the model gives to the target's own text.

Each is a ratio of sums over samples, not a mean of ratios: long texts count for more.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import Metric, Outcome, ratio_of

__all__ = ["bits_per_byte", "byte_perplexity", "token_nll", "word_perplexity"]

Per = Literal["n_target_tokens", "n_words", "n_bytes"]


def token_nll() -> Metric:
    """Return the cross-entropy per token of the target, nats.

    Reads `token_logprobs`, or `logprob` and `n_target_tokens`.
    """
    return _ratio("token_nll", "n_target_tokens", "Schaeffer et al. 2023, section 2", "logarithmic")


def bits_per_byte() -> Metric:
    """Return the cross-entropy per byte of the target, bits.

    Reads `n_bytes`, and `logprob` or `token_logprobs`.
    """
    reference = "lm-evaluation-harness 0.4.13, bits_per_byte"
    return _ratio("bits_per_byte", "n_bytes", reference, "logarithmic", unit=np.log(2))


def word_perplexity() -> Metric:
    """Return the exponential of the cross-entropy per word of the target.

    Reads `n_words`, and `logprob` or `token_logprobs`.
    """
    reference = "lm-evaluation-harness 0.4.13, word_perplexity"
    return _ratio("word_perplexity", "n_words", reference, "none", exponential=True)


def byte_perplexity() -> Metric:
    """Return the exponential of the cross-entropy per byte of the target.

    Reads `n_bytes`, and `logprob` or `token_logprobs`.
    """
    reference = "lm-evaluation-harness 0.4.13, byte_perplexity"
    return _ratio("byte_perplexity", "n_bytes", reference, "none", exponential=True)


def _ratio(
    name: str,
    per: Per,
    reference: str,
    per_token: Literal["logarithmic", "none"],
    *,
    unit: float = 1.0,
    exponential: bool = False,
) -> Metric:
    length = (per,) if per != "n_target_tokens" else ("token_logprobs|n_target_tokens",)
    return Metric(
        name=name,
        requires=("token_logprobs|logprob", *length),
        continuous=True,
        per_token=per_token,
        bounds=(1.0 if exponential else 0.0, np.inf),
        higher_is_better=False,
        scorer=partial(_of_sample, per=per, unit=unit, exponential=exponential),
        quantities=partial(_parts, per=per, unit=unit),
        finish=_perplexity if exponential else partial(ratio_of, top="nats", bottom="length"),
        clusters=True,
        expected="expected_token_nll" if name == "token_nll" else None,
        reference=reference,
    )


def _nats_and_length(inputs: Inputs, per: Per) -> tuple[Array, Array]:
    """Return nats and length of each sample: of its tokens where given, else its totals.

    NaN for both where one is missing, a log-probability is inf or a length is negative.
    """
    nats, tokens = (np.full(inputs.n_rows, np.nan) for _ in range(2))
    if "logprob" in inputs:
        nats = -inputs.numbers("logprob").astype(float)
    if "n_target_tokens" in inputs:
        tokens = inputs.numbers("n_target_tokens").astype(float)
    if "token_logprobs" in inputs:
        sizes, values = inputs.lists("token_logprobs")
        owner = np.repeat(np.arange(len(sizes)), np.maximum(sizes, 0))
        given = sizes > 0
        nats = np.where(given, -np.bincount(owner, values, minlength=len(sizes)), nats)
        tokens = np.where(given, sizes, tokens)
    length = tokens if per == "n_target_tokens" else inputs.numbers(per).astype(float)
    missing = np.isnan(nats) | (nats == -np.inf) | ~(length >= 0)
    return np.where(missing, np.nan, nats), np.where(missing, np.nan, length)


def _of_sample(inputs: Inputs, per: Per, unit: float, exponential: bool) -> Array:
    nats, length = _nats_and_length(inputs, per)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = nats / unit / length
    rate[length == 0] = np.nan
    with np.errstate(over="ignore"):
        return np.exp(rate) if exponential else rate


def _parts(inputs: Inputs, per: Per, unit: float) -> Iterable[tuple[str, Array]]:
    nats, length = _nats_and_length(inputs, per)
    yield "nats", nats / unit
    yield "length", length
    yield "both", nats / unit + length


def _perplexity(sums: pd.DataFrame) -> Outcome:
    rate, stderr, n, _ = ratio_of(sums, top="nats", bottom="length")
    with np.errstate(over="ignore"):
        perplexity = float(np.exp(rate))
    return Outcome(perplexity, perplexity * stderr if np.isfinite(perplexity) else np.nan, n)
