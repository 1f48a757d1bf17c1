"""What a metric is: its inputs, its behaviour, and how it scores samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import TableError

__all__ = ["Metric", "check_inputs"]

PerToken = Literal["linear", "geometric", "step", "other"]


@dataclass(frozen=True)
class Metric:
    """A metric: how it behaves, and how it scores samples.

    Parameters
    ----------
    name : str
        Registry name.
    requires : tuple of str
        Columns of the samples table that it reads.
    continuous : bool
        Whether the score of one sample moves with small changes of the model's probabilities.
    per_token : {"linear", "geometric", "step", "other"}
        How the expected score follows the chance that one token is right.
    bounds : tuple of float
        Lowest and highest score.
    higher_is_better : bool
        Direction.
    scorer : callable
        Takes the samples table, returns one score a row, NaN where an input is missing.
    chance : callable, optional
        Takes the samples table, returns the score of a guess for each row.
    reference : str
        Where it is defined.
    """

    name: str
    requires: tuple[str, ...]
    continuous: bool
    per_token: PerToken
    bounds: tuple[float, float]
    higher_is_better: bool
    scorer: Callable[[pd.DataFrame], NDArray[np.float64]]
    chance: Callable[[pd.DataFrame], NDArray[np.float64]] | None = None
    reference: str = ""

    def score(self, samples: pd.DataFrame) -> NDArray[np.float64]:
        """Return one score for each row of `samples`, NaN where an input is missing.

        Raises
        ------
        TableError
            If a column that the metric reads is absent.
        """
        check_inputs(samples, self.requires, where=self.name)
        return self.scorer(samples)


def check_inputs(samples: pd.DataFrame, requires: tuple[str, ...], *, where: str) -> None:
    """Raise a `TableError` that lists every column of `requires` that `samples` lacks."""
    absent = [name for name in requires if name not in samples]
    if absent:
        raise TableError(
            f"{where}: needs column {', '.join(map(repr, absent))}; "
            f"the samples have {', '.join(map(str, samples.columns))}."
        )
