"""Write models.csv and results.csv of the open models: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
table = pd.read_csv(reference / "bigbench_bigg" / "open_models_acc_vs_tcbrier.csv")
# The source lists arithmetic for gpt2 and gpt2-large a second time, with the same scores under the
# sizes of gpt2-medium and gpt2-xl; the first rows stand.
table = table.drop_duplicates(["task", "model"])

models = table.drop_duplicates("model")
models = pd.DataFrame(
    {
        "model": models["model"],
        "family": models["family"],
        "n_params": (models["params_b"] * 1e9).round(),
        "n_params_kind": "total",
        "n_tokens": (models["tokens_t"] * 1e12).round(),
        # 15 digits: more than the source has, and free of the factor's rounding
        "flops": (models["flops_1e21"] * 1e21).map("{:.15g}".format).astype(float),
    }
)
models.to_csv(out / "models.csv", index=False)

METRICS = {  # source column: metric, subtask, higher is better
    "accuracy": ("acc", None, True),
    "tc_brier": ("target_brier", None, False),
    "tc_brier_easy_third": ("target_brier", "easy_third", False),
    "tc_brier_mid_third": ("target_brier", "middle_third", False),
    "tc_brier_hard_third": ("target_brier", "hard_third", False),
    "prob_mass_on_choices": ("choice_probability_mass", None, True),
}
results = pd.concat(
    [
        pd.DataFrame(
            {
                "model": table["model"],
                "task": table["task"],
                "metric": metric,
                "subtask": subtask,
                "score": table[column],
                "higher_is_better": higher,
            }
        )
        for column, (metric, subtask, higher) in METRICS.items()
    ]
)
results.to_csv(out / "results.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
