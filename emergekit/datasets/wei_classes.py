"""How BIG-bench tasks scale, by hand."""

from __future__ import annotations

import pandas as pd

from emergekit.datasets.folder import Origin, read_table

__all__ = ["load_wei_classes"]

_ORIGIN = Origin(
    "arXiv 2206.07682, appendix E; preferred metrics from github.com/wschella/lass, commit "
    "67fefca6ce045b43222bed41d78df83ef7a599ab",
    "lists of names, as facts with attribution",
    "Wei et al. 2022, appendix E",
)


def load_wei_classes() -> pd.DataFrame:
    """Return how 197 BIG-bench tasks scale, as Wei et al. 2022 classed them by hand.

    Returns
    -------
    DataFrame, 197 rows
        `task`, `scaling_class` (smoothly_increasing, emergent, flat, other),
        `first_emergent_model`, `preferred_metric` (NaN where BIG-G logs do not say), `section`.

    References
    ----------
    Wei et al. 2022, appendix E.

    Examples
    --------
    >>> int((load_wei_classes()["scaling_class"] == "emergent").sum())
    67
    """
    return read_table("wei_classes", "classes.csv", _ORIGIN)
