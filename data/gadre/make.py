"""Write the 104 models and their 46 accuracies: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])

DATASETS = {"c4_original": "C4", "rpj": "RedPajama", "rw_original": "RefinedWeb"}

table = pd.read_csv(reference / "scaling" / "gadre_openlm.csv")
losses = table.filter(regex="^loss_")
models = pd.DataFrame(
    {
        "model": table["name"],
        "family": "OpenLM " + table["train_dataset"].map(DATASETS),
        "n_params": table["params"],
        "n_params_kind": "total",
        "n_tokens": table["tokens"],
        "flops": 6.0 * table["params"] * table["tokens"],  # in integers, the product overflows
        "loss": table["loss_c4_val"],
        "loss_dataset": "c4_val",
        "train_dataset": table["train_dataset"].map(DATASETS),
        "architecture": table["arch"],
        "n_params_non_embedding": table["params_no_embed"],
        "chinchilla_multiplier": table["chinchilla_multiplier"],
        "learning_rate": table["lr"],
        "learning_rate_end": table["cooldown"],
        "weight_decay": table["wd"],
        "n_warmup_steps": table["warmup"],
        "batch_size": table["global_bs"],
        **losses,
    }
)
models.to_csv(out / "models.csv", index=False)

tasks = table.filter(regex="^acc_")
results = (
    tasks.rename(columns=lambda name: name.removeprefix("acc_"))
    .assign(model=table["name"], order=table.index)
    .melt(id_vars=["model", "order"], var_name="task", value_name="score")
    .sort_values(["task", "order"], kind="stable")
    .assign(metric="acc", higher_is_better=True)
)
results = results[["model", "task", "metric", "score", "higher_is_better"]]
gzip = {"method": "gzip", "mtime": 0}
results.to_csv(out / "results.csv.gz", index=False, compression=gzip)
