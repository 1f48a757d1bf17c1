"""emergekit: the empirical study of emergent abilities of language models.

The public names, in the order of the pipeline. They load on first use, so that importing the
package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emergekit import compute, datasets, figures, fitting, laws, metrics, prediction, theory
    from emergekit.emergence import (
        break_test,
        collapse_test,
        curve_shapes,
        fit_threshold,
        mirage_test,
    )
    from emergekit.errors import FitError, FitWarning, LoadError, TableError
    from emergekit.fitting import (
        Fit,
        allocate,
        bootstrap,
        compare,
        fit,
        fit_groups,
        profile,
    )
    from emergekit.laws import Law, Parameter
    from emergekit.loaders import ingest, load, reconcile, write_every_eval_ever
    from emergekit.metrics import Metric, rescore
    from emergekit.prediction import Chain, backtest, chain, threshold
    from emergekit.reporting import emergence_table, report
    from emergekit.tables import MODELS, RESULTS, SAMPLES, Tables, join_models, validate

__version__ = "0.1.0.dev0"

_HOMES = {
    "TableError": "errors",
    "LoadError": "errors",
    "FitError": "errors",
    "FitWarning": "errors",
    "MODELS": "tables",
    "SAMPLES": "tables",
    "RESULTS": "tables",
    "Tables": "tables",
    "validate": "tables",
    "join_models": "tables",
    "Metric": "metrics",
    "rescore": "metrics",
    "load": "loaders",
    "reconcile": "loaders",
    "ingest": "loaders",
    "write_every_eval_ever": "loaders",
    "Law": "laws",
    "Parameter": "laws",
    "Fit": "fitting",
    "fit": "fitting",
    "fit_groups": "fitting",
    "bootstrap": "fitting",
    "profile": "fitting",
    "compare": "fitting",
    "allocate": "fitting",
    "curve_shapes": "emergence",
    "mirage_test": "emergence",
    "collapse_test": "emergence",
    "break_test": "emergence",
    "fit_threshold": "emergence",
    "Chain": "prediction",
    "chain": "prediction",
    "threshold": "prediction",
    "backtest": "prediction",
    "emergence_table": "reporting",
    "report": "reporting",
}
_MODULES = ("compute", "theory", "metrics", "datasets", "laws", "fitting", "prediction", "figures")

__all__ = [  # noqa: RUF022  pipeline order says more than the alphabet
    "TableError",
    "LoadError",
    "FitError",
    "FitWarning",
    "MODELS",
    "SAMPLES",
    "RESULTS",
    "Tables",
    "validate",
    "join_models",
    "compute",
    "theory",
    "Metric",
    "metrics",
    "datasets",
    "load",
    "reconcile",
    "ingest",
    "write_every_eval_ever",
    "rescore",
    "Law",
    "Parameter",
    "laws",
    "fitting",
    "Fit",
    "fit",
    "fit_groups",
    "bootstrap",
    "profile",
    "compare",
    "allocate",
    "curve_shapes",
    "mirage_test",
    "collapse_test",
    "break_test",
    "fit_threshold",
    "prediction",
    "Chain",
    "chain",
    "threshold",
    "backtest",
    "figures",
    "emergence_table",
    "report",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"emergekit.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"emergekit.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'emergekit' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
