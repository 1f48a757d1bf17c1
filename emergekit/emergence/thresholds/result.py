"""What `fit_threshold` returns: a threshold with what speaks for and against its being one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from emergekit.fitting import Fit

__all__ = ["Threshold"]

_FORM_COLUMNS = ("form", "level", "kind", "rmse", "bic_difference", "held_out_rmse", "eta")


def _no_forms() -> pd.DataFrame:
    return pd.DataFrame(columns=list(_FORM_COLUMNS))


def _no_runs() -> pd.DataFrame:
    return pd.DataFrame(columns=["run", "n_rows", "eta"])


@dataclass(frozen=True, repr=False)
class Threshold:
    """The threshold of one curve, with what speaks for and against its being one.

    Parameters
    ----------
    verdict, reason : str
        "threshold", "smooth" or "undecided", and the sentence behind it.
    x : str
        Column.
    n_rows, n_runs : int
        Rows, and the runs that they belong to.
    level : float
        Coverage that the interval aims at.
    n_effective : float
        How many independent rows would say as much.
    eta, lower, upper : float
        The threshold and its interval, in units of the column `x`; NaN if no form with a threshold
        was fitted. Read them as a threshold only with that verdict.
    method : str
        How the interval was found.
    form, chance : str, float
        The form that `eta` belongs to, and the level it rises from; NaN if the level is free.
    forms : DataFrame
        One row a form: form, level (free, or held at chance), kind (smooth, threshold),
        n_parameters, rmse, bic, bic_difference, aicc, eta (midpoint of a logistic), shape (power q
        or width w), width (10-90 %, in units of `x` or decades), held_out_rmse.
    by_run : DataFrame
        run, n_rows, eta (to a 600th of the run's range) of each run that has twelve places and
        rises (BIC 6 below a constant); empty where rows are runs.
    fit : Fit or None
        The fit of `form` to all rows.
    notes : tuple of str
        What else to know.
    """

    verdict: str
    reason: str
    x: str
    n_rows: int
    n_runs: int
    level: float
    n_effective: float = np.nan
    eta: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    method: str = "none"
    form: str = ""
    chance: float = np.nan
    forms: pd.DataFrame = field(default_factory=_no_forms)
    by_run: pd.DataFrame = field(default_factory=_no_runs)
    fit: Fit | None = None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the threshold, its interval, the verdict and its reason."""
        names = ("x", "form", "eta", "lower", "upper", "level", "method", "chance")
        more = ("n_rows", "n_runs", "n_effective", "verdict", "reason")
        return pd.DataFrame([{name: getattr(self, name) for name in (*names, *more)}])

    def __repr__(self) -> str:
        head = f"Threshold in {self.x} from {self.n_rows} rows of {_runs(self.n_runs)}"
        said = [f"{head}: {self.verdict}", f"  {self.reason}"]
        if np.isfinite(self.eta):
            ends = f"{self.level:.0%} {self.lower:.4g} to {self.upper:.4g}, {self.method}"
            said.append(f"  eta {self.eta:.4g} ({ends}) of the {self.form.replace('_', ' ')}")
        said += [f"  {note}" for note in self.notes]
        if len(self.forms):
            table = self.forms[list(_FORM_COLUMNS)].sort_values("bic_difference")
            said.append(table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"))
        return "\n".join(said)


def _runs(n: int) -> str:
    return "1 run" if n == 1 else f"{n} runs"
