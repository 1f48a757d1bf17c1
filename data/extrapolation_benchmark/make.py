"""Write curves.csv.xz, 92 learning curves: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])

table = pd.read_csv(reference / "scaling" / "revisiting_benchmark.csv.gz")
table = table.drop_duplicates(ignore_index=True)  # every row of LM stands there four times
# Tasks are called bird_5, or ('date', '1-shot'), by the number of shots.
parts = table["task"].str.extract(r"^\(?'?([a-z]+)'?[_,] ?'?(\d+)(?:-shot'\))?$")
few_shot = parts[1].notna()
curves = pd.DataFrame(
    {
        "domain": table["domain"],
        "task": table["task"].where(~few_shot, parts[0] + "_" + parts[1]),
        "model": table["model"],
        "n_shots": parts[1].astype("Int64"),
        "x": table["x_seen_examples"].astype(int),
        "loss": table["loss"],
        "is_fit": table["is_fit"].astype(bool),
    }
)
curve = pd.factorize(pd.MultiIndex.from_frame(curves[["domain", "task", "model"]]))[0]
curves = curves.assign(curve=curve).sort_values(["curve", "x"]).drop(columns="curve")
curves.to_csv(out / "curves.csv.xz", index=False)
