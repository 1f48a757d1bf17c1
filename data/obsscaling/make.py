"""Write models.csv and results.csv of ObsScaling: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
BENCHMARKS = [
    "MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "GSM8K", "XWinograd", "HumanEval"
]  # fmt: skip
# Listed with 627 trillion tokens; the model card says 627 billion.
MISTYPED = "cerebras/btlm-3b-8k-base"

base = pd.read_csv(reference / "prediction" / "obsscaling_base_benchmarks.csv")
assert (base.loc[base["model"] == MISTYPED, "tokens_t"] == 627).all()
wrong = base["model"] == MISTYPED
base.loc[wrong, ["tokens_t", "flops_1e21"]] /= 1000
models = pd.DataFrame(
    {
        "model": base["model"],
        "family": base["family"],
        "n_params": (base["params_b"] * 1e9).round().astype("int64"),
        "n_tokens": (base["tokens_t"] * 1e12).round().astype("Int64"),
        "flops": (base["flops_1e21"] * 1e21).map("{:.10g}".format).replace("nan", None),
        "is_preregistered": base["preregistered"],
        "is_evaluated_family": base["evaluated_family"],
    }
)
models.to_csv(out / "models.csv", index=False)

wide = base.melt("model", BENCHMARKS, "task", "score").assign(metric="benchmark", n_shots=None)
emergent = pd.read_csv(reference / "prediction" / "obsscaling_emergent_long.csv")
emergent = emergent.rename(columns={"shots": "n_shots"})
emergent.loc[emergent["metric"] == "bleu", "score"] /= 100  # stated from 0 to 100
names = ["model", "task", "metric", "n_shots", "score"]
results = pd.concat([wide[names], emergent[names]], ignore_index=True).dropna(subset="score")
results["score"] = results["score"].map("{:.10g}".format)
results["n_shots"] = results["n_shots"].astype("Int64")
results.to_csv(out / "results.csv", index=False)
