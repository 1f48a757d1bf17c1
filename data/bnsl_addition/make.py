"""Write runs.csv, loss against training examples: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])

points = pd.read_csv(reference / "scaling" / "bnsl_four_digit_addition.csv")
runs = pd.DataFrame(
    {
        "model": [f"addition-{number:02d}" for number in range(1, len(points) + 1)],
        "x": points["x"],
        "loss": points["y"],
        "is_fit": points["is_fit"].astype(bool),
    }
)
runs.to_csv(out / "runs.csv", index=False)
