"""Which metrics are shares, between 0 and 1, by the registry or by their name."""

from __future__ import annotations

import re

from emergekit import metrics

__all__ = ["bare_name", "is_named_metric", "is_of_either_scale", "is_registered", "is_share"]

_NAMES = (
    "acc accuracy acc_norm acc_norm_nosample acc_raw acc_uncond acc_bytes acc_char acc_token "
    "acc_per_char acc_per_token acc_per_byte balanced_accuracy top_1_accuracy top1_accuracy "
    "top_5_accuracy em exact exact_match exact_str_match prefix_exact_match quasi_exact_match "
    "quasi_prefix_exact_match strict_match flexible_extract f1 f1_score macro_f1 micro_f1 f1_macro "
    "f1_micro f1_weighted precision recall squad squad_em squad_f1 rouge rouge1 "
    "rouge2 rougel rougelsum rouge_1 rouge_2 rouge_l rouge_lsum multiple_choice_grade mc1 mc2 "
    "win_rate pass_rate success_rate auc auroc pass_at_k"
)
_SHARES = frozenset(_NAMES.split())
_PASS = re.compile(r"(maj|pass|cons)(@|_at_)\d+")
# lm-evaluation-harness states BLEU from 0 to 100, HELM and the registry from 0 to 1.
_BLEU = re.compile(r"(sacre)?bleu(_?\d)?(_max)?")


def is_share(metric: str) -> bool:
    """Return whether scores of this metric lie between 0 and 1, by the registry or by its name.

    Examples
    --------
    >>> [is_share(name) for name in ("acc,none", "pass@10", "grade_level", "bits_per_byte")]
    [True, True, False, False]
    """
    known = metrics.METRICS.get(bare_name(metric))
    if known:
        return known.bounds == (0.0, 1.0)
    return _word(metric) in _SHARES or bool(_PASS.fullmatch(_word(metric)))


def is_of_either_scale(metric: str) -> bool:
    """Return whether harnesses state this metric from 0 to 1 or from 0 to 100, as they do BLEU.

    Examples
    --------
    >>> [is_of_either_scale(name) for name in ("bleu", "sacrebleu,none", "bleu_4", "bleu_acc")]
    [True, True, True, False]
    """
    return bool(_BLEU.fullmatch(_word(metric)))


def is_registered(metric: str) -> bool:
    """Return whether the registry has this metric, whatever its filter or options."""
    return bare_name(metric) in metrics.METRICS


def is_named_metric(name: object) -> bool:
    """Return whether a column's name is that of a metric: in the registry, or a share by name."""
    name = str(name)
    return name in metrics.METRICS or is_share(name) or is_of_either_scale(name)


def bare_name(metric: str) -> str:
    """Return the name of a metric without its filter or its options.

    Examples
    --------
    >>> bare_name("acc,none"), bare_name("exact_match(ignore_case=True)")
    ('acc', 'exact_match')
    """
    return re.split(r"[,(]", str(metric))[0].strip()


def _word(metric: str) -> str:
    return re.sub(r"[\s-]+", "_", bare_name(metric).lower())
