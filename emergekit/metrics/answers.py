"""Take the answer out of what a model wrote, as harnesses do before they compare it."""

from __future__ import annotations

import re

__all__ = ["BIGBENCH_ANSWER", "bigbench_answer"]

BIGBENCH_ANSWER = r"[^\.\?\!\;\n]+"
"""What BIG-bench takes for the answer where a task says nothing: up to the first stop."""


def bigbench_answer(
    text: str,
    *,
    max_length: int | None = None,
    stop_string: str | None = None,
    output_regex: str | None = None,
) -> str:
    """Return the answer that BIG-bench compares with the target.

    The text is cut to its length, then after the first stop string (which stays, and does nothing
    at the very start), then to the first match of the pattern. So "3.14 is pi." under the usual
    pattern is "3": this alone zeroes exact match on tasks whose targets hold a full stop.

    Parameters
    ----------
    text : str
        What the model wrote.
    max_length : int, optional
        Characters to keep.
    stop_string : str, optional
        Where the answer ends.
    output_regex : str, optional
        Pattern of the answer, without groups; no match is an empty answer.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the pattern has groups, which make BIG-bench fail.

    References
    ----------
    BIG-bench, models/model_utils.py, postprocess_output.

    Examples
    --------
    >>> bigbench_answer("3.14 is pi.", output_regex=BIGBENCH_ANSWER)
    '3'
    """
    if output_regex is not None and re.compile(output_regex).groups:
        raise ValueError(f"output_regex must have no groups: {output_regex!r}; write (?:...).")
    kept = text if max_length is None else text[:max_length]
    if stop_string and kept.find(stop_string) > 0:
        kept = kept[: kept.find(stop_string) + len(stop_string)]
    if output_regex is None:
        return kept
    found = re.search(output_regex, kept)
    return found[0] if found else ""
