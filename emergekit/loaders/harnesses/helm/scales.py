"""On which scale HELM states a metric. What is not listed stays unknown.

Its BLEU and ROUGE run from 0 to 1, where other harnesses have 0 to 100. The statistics that the
real files lack follow HELM's source; not verified against a real file.
"""

from __future__ import annotations

import re

from emergekit.loaders.harnesses.scales import LOSS_SHARE, SHARE, UNKNOWN, Scale

__all__ = ["scale_of"]

# "@5" is the best of five answers, on the same scale.
_SCALES = (
    (r"(quasi_)?(prefix_)?exact_match(_indicator)?(@\d+)?", SHARE),
    (r"(final_num|quasi_leave_articles)_exact_match", SHARE),
    (r"f1_(score|set_match)|iou_set_match|exact_set_match", SHARE),
    (r"classification_(micro|macro|weighted)_f1(_score)?|accuracy", SHARE),
    (r"(rouge|bleu)_(\d|l)", SHARE),
    (r"math_equiv(_chain_of_thought)?(@\d+)?|code_eval_acc|ifeval_strict_accuracy", SHARE),
    (r"(NDCG|RR|R)(_top_score)?@\d+", SHARE),
    (r"selective_(acc@\d+|cov_acc_area)", SHARE),
    (r"ece_(1|10)_bin", LOSS_SHARE),
    (r"toxic_frac|(expected_)?max_toxicity", LOSS_SHARE),
    (r"max_prob", Scale(0.0, 1.0)),  # how sure the model is, right or wrong
    (r"logprob(_per_byte)?", Scale(None, 0.0, True)),
    (r"bits_per_byte", Scale(0.0, None, False)),
    (r"perplexity", Scale(1.0, None, False)),
)
_COMPILED = tuple((re.compile(names), scale) for names, scale in _SCALES)


def scale_of(metric: str) -> Scale:
    """Return bounds and direction of a statistic.

    Examples
    --------
    >>> scale_of("quasi_prefix_exact_match@5")
    Scale(low=0.0, high=1.0, higher_is_better=True)
    >>> scale_of("logprob_per_byte"), scale_of("platt_coef").low is None
    (Scale(low=None, high=0.0, higher_is_better=True), True)
    """
    return next((scale for names, scale in _COMPILED if names.fullmatch(metric)), UNKNOWN)
