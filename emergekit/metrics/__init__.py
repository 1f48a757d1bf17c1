"""Metrics that re-score saved outputs: definitions, registry, mergeable sums, uncertainty.

Where ``compat`` departs from the sound definition, it is to reproduce a harness:

=========================  ======================================  =================================
metric                     sound (default)                         compat
=========================  ======================================  =================================
acc, acc_norm, ...,        tied choices share their credit         lm-eval: the first of them;
multiple_choice_grade                                              bigbench: by a hash
brier_mean                 mean over samples of the squared error  bigbench: pooled over choices,
                                                                   both errors weighted by target
logprob_correct            log of the summed probability of        bigbench: sum of their log-
                           several right choices                   probabilities, by score
ece                        a pick is right if its choice is        bigbench: only the first of
                                                                   several right choices
numeric_match              relative to the absolute target         bigbench: to the signed target,
                                                                   so a negative one always matches
rougeLsum                  lines as they are                       bigbench: a new line at " . "
bleu                       tokeniser 13a                           bigbench: tokeniser intl
=========================  ======================================  =================================

BIG-bench reports ROUGE as the median of 1,000 bootstrap means, which moves with a global seed; that
is not reproduced: ours is the exact mean.
"""

from __future__ import annotations

from emergekit.metrics.metric import Metric
from emergekit.metrics.registry import (
    METRICS,
    continuous_counterparts,
    describe,
    get,
    higher_is_better,
)
from emergekit.metrics.rescoring import rescore, score_samples

__all__ = [
    "METRICS",
    "Metric",
    "continuous_counterparts",
    "describe",
    "get",
    "higher_is_better",
    "rescore",
    "score_samples",
]
