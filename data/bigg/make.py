"""Write models.csv and the results of BIG-G: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
folder = reference / "bigbench_bigg"

sizes = pd.read_csv(folder / "bigg_model_sizes.csv")
models = pd.DataFrame(
    {
        "model": "BIG-G-" + sizes["model_name"],
        "family": "BIG-G",
        "n_params": sizes["flop_matched_non_embedding_params"],
        "n_params_kind": "non-embedding",
    }
)
models.to_csv(out / "models.csv", index=False)

SHARP = {"multiple_choice": "multiple_choice_grade", "generative": "exact_match"}
BRIER = {  # Brier score of the top choice's confidence, and its parts
    "conf_normalized_brier": "confidence_brier",
    "conf_normalized_brier_miscal": "confidence_brier_miscalibration",
    "conf_normalized_brier_discr": "confidence_brier_discrimination",
    "brier_uncertainty": "confidence_brier_uncertainty",
}
HIGHER_IS_BETTER = {"confidence_brier_discrimination"}

table = pd.read_csv(folder / "bigg_t0_3shot_task_metrics.csv")
shared = pd.DataFrame(
    {
        "model": "BIG-G-" + table["model_name"],
        "task": table["task"],
        "n_shots": table["shots"],
        "n_examples": table["n"],
        "query": table["query"],
        "preferred_metric": table["preferred_metric"],
        "sample": table["sample"],
    }
)
sharp = shared.assign(
    metric=table["query"].map(SHARP), score=table["n_correct"] / table["n"], higher_is_better=True
)
briers = [
    shared.assign(metric=name, score=table[column], higher_is_better=name in HIGHER_IS_BETTER)
    for column, name in BRIER.items()
]
columns = ["model", "task", "metric", "subtask", "n_shots", "score", "n_examples"]
columns += ["higher_is_better", "query", "preferred_metric", "sample"]
results = pd.concat([sharp, *briers])
# Another draw of the examples is a subset of its own, as the thirds by difficulty of open_models
# are: with an empty subtask, its scores and those of the curves would be two scores of one thing.
results["subtask"] = results["sample"].where(results["sample"] == "own_split")
size = results["model"].map({name: place for place, name in enumerate(models["model"])})
order = results.assign(size=size).sort_values(["task", "metric", "size"], kind="stable")[columns]
FILES = {"shared_split": "results.csv.gz", "own_split": "results_own_split.csv.gz"}
for sample, rows in order.groupby("sample"):
    table = rows.drop(columns="subtask") if sample == "shared_split" else rows
    gzip = {"method": "gzip", "mtime": 0}
    table.to_csv(out / FILES[sample], index=False, compression=gzip)
