"""Write runs.csv from the digitised points: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])

points = pd.read_csv(reference / "scaling" / "chinchilla_epoch.csv")
names = [f"chinchilla-{number:03d}" for number in range(1, len(points) + 1)]
runs = pd.DataFrame(
    {
        "model": names,
        "run": names,  # every point is a training run of its own
        "family": "Chinchilla",
        "n_params": points["params"],
        "n_params_kind": "total",
        "n_tokens": points["tokens"],
        "flops": points["flops"],
        "loss": points["loss"],
        "used_in_fit": points["used_in_epoch_fit"].astype(bool),
    }
)
runs.to_csv(out / "runs.csv", index=False)
