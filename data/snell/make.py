"""Write Snell's tables 2 and 3: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
folder = reference / "prediction"

ablations = pd.read_csv(folder / "snell2024_table2_ablations.csv").rename(
    columns={
        "mle_abs_error_nats": "error",
        "mcmc_err_p5": "error_p5",
        "mcmc_err_p95": "error_p95",
        "success": "is_success",
    }
)
assert ((ablations["error"] <= 0.1) == ablations["is_success"]).all()
ablations["setting"] = ablations["setting"].str.lower()
ablations.to_csv(out / "ablations.csv.xz", index=False)

elbows = pd.read_csv(folder / "snell2024_table3_uncertainty.csv")
elbows["method"] = elbows["method"].str.lower()
inside = elbows["ground_truth"].between(elbows["p5"], elbows["p95"])
assert (inside == elbows["gt_in_5_95"])[elbows["ground_truth"].notna()].all()
elbows.drop(columns="gt_in_5_95").to_csv(out / "elbows.csv.xz", index=False)
