"""Write the checkpoints of the OLMo ladder and their scores: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
scores = pd.read_csv(reference / "prediction" / "olmo_ladder_checkpoints.csv.gz")
table = pd.read_parquet(reference / "loss" / "olmo_ladder_checkpoints.parquet")

RUNS = {  # the OLMo 2 runs; those of the ladder keep their names
    "peteish7_eval_full": "peteish7",
    "peteish7_medlr_eval_full": "peteish7-medlr",
    "peteish7_eval_anneal": "peteish7-anneal",
    "peteish13_eval_full": "peteish13",
}
# The file of the last checkpoints of the 13B run repeats twelve that the whole run has.
REPEATED = "peteish13_eval_final"
CHOICES = {"piqa": 2, "winogrande": 2, "boolq": 2, "socialiqa": 3, "csqa": 5}  # the others have 4
EXAMPLES = {
    "arc_challenge": 1172,
    "arc_easy": 2376,
    "boolq": 3270,
    "csqa": 1221,
    "hellaswag": 10042,
    "mmlu": 14042,
    "openbookqa": 500,
    "piqa": 1838,
    "socialiqa": 1954,
    "winogrande": 1267,
}
MMLU = {"humanities": 4705, "other": 3242, "social_sciences": 3077, "stem": 3018}


def renamed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each checkpoint once, with the name of its run."""
    kept = rows[rows["run"] != REPEATED]
    return kept.assign(run=kept["run"].replace(RUNS), step=kept["step"].astype("Int64"))


table, scores = renamed(table), renamed(scores)
at = ["run", "step"]
flops = scores.drop_duplicates(at).set_index(at)
per_token = (flops["flops"] / flops["tokens"]).groupby("run").median()
per_token["peteish7-medlr"] = per_token["peteish7"]  # one network, two learning rates
n_params = scores.groupby("run")["params"].first()
n_params["peteish7-medlr"] = n_params["peteish7"]
places = pd.MultiIndex.from_frame(table[at])
known = flops["flops"].reindex(places).to_numpy()
worked_out = (table["tokens"] * table["run"].map(per_token)).map("{:.6g}".format).astype(float)
ladder = ~table["run"].str.startswith("peteish")
losses = {
    f"loss_{name.removesuffix('_ce').replace('-', '_')}": table[name].map("{:.7g}".format)
    for name in table.columns
    if name.endswith("_ce")
}
models = pd.DataFrame(
    {
        "model": table["run"],
        "run": table["run"],
        "step": table["step"],
        "family": ladder.map({True: "OLMo ladder", False: "OLMo 2"}),
        "n_params": table["run"].map(n_params),
        "n_params_kind": "non-embedding",
        "n_tokens": table["tokens"],
        "flops": worked_out.where(pd.isna(known), known),
        "loss": losses["loss_c4_en"],
        "loss_dataset": "c4_en",
        "size": table["run"].str.partition("-")[0],
        "chinchilla_multiplier": table["chinchilla_multiple"],
        "learning_rate_peak": table["lr_peak"],
        "is_final": table["tokens"] == table.groupby("run")["tokens"].transform("max"),
        **losses,
    }
)
models.to_csv(out / "models.csv.xz", index=False)


def part(rows: pd.DataFrame, task: object, metric: object, column: str, **more: object):
    """Return the scores in one column as results."""
    fixed = {"task": task, "metric": metric, "score": rows[column], **more}
    return pd.DataFrame({"model": rows["run"], "step": rows["step"], **fixed}).dropna(
        subset=["score"]
    )


chance = 1 / scores["task"].map(CHOICES).fillna(4)
n_examples = scores["task"].map(EXAMPLES)
ranked = scores["task"] + "_rc"
# BoolQ's answers, yes and no, are compared as they are.
rc_metric = scores["task"].map({"boolq": "acc"}).fillna("acc_norm")
parts = [
    part(scores, ranked, rc_metric, "rc_acc", n_examples=n_examples, chance=chance),
    part(scores, ranked, "bits_per_byte", "task_bpb", n_examples=n_examples),
    part(scores, scores["task"] + "_mc", "acc", "mc_acc", n_examples=n_examples, chance=chance),
]
columns = {name: f"mmlu_{name}_test_mc_5shot_len_norm" for name in MMLU}
for name, column in columns.items():
    more = {"subtask": name, "n_examples": MMLU[name], "chance": 0.25}
    parts.append(part(table, "mmlu_mc", "acc", column, **more))
mean = table.assign(mean=table[list(columns.values())].astype(float).mean(axis=1, skipna=False))
parts.append(
    part(mean, "mmlu_mc", "acc", "mean", subtask="mean", n_examples=EXAMPLES["mmlu"], chance=0.25)
)
results = pd.concat(parts, ignore_index=True)
results["score"] = results["score"].map("{:.6g}".format)
results["n_shots"] = 5
results["higher_is_better"] = results["metric"] != "bits_per_byte"
order = {name: place for place, name in enumerate(models["model"].unique())}
results["order"] = results["model"].map(order)
results = results.sort_values(["task", "subtask", "metric", "order"], kind="stable")
names = ["model", "step", "task", "subtask", "metric", "n_shots", "score", "n_examples", "chance"]
results[[*names, "higher_is_better"]].to_csv(out / "results.csv.xz", index=False)
