"""Write Pythia's checkpoints, evaluations and arithmetic: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
XZ = {"method": "xz", "preset": 1}  # 3 % larger, in a fifth of the time
folder = reference / "pythia"

MISLABELLED = "folder says five-shot, config says 0"  # copies of the zero-shot files
SHARES = ("acc", "acc_norm", "pct_stereotype")
LOWER_IS_BETTER = (
    "ppl",
    "word_perplexity",
    "byte_perplexity",
    "bits_per_byte",
    "likelihood_difference",
    "pct_stereotype",
)
FAMILIES = {"pythia": "Pythia", "opt": "OPT", "bloom": "BLOOM"}
CHANCE = {"piqa": 0.5, "winogrande": 0.5, "wsc": 0.5, "sciq": 0.25, "logiqa": 0.25}
CHANCE |= {"arc_easy": 0.25, "arc_challenge": 0.25, "lambada_openai": 0.0}
PROMPTS = 50  # to an operand of the arithmetic tasks: its scores are multiples of 1 / 50


def chance(task: str) -> float:
    """Return the score of guessing, NaN where there is no such thing."""
    if task.startswith("blimp_"):
        return 0.5
    return 0.25 if task.startswith("hendrycksTest-") else CHANCE.get(task, np.nan)


def sized(score: pd.Series, stderr: pd.Series, groups: list[pd.Series]) -> pd.Series:
    """Return the test size behind each share: stderr^2 = p (1 - p) / (n - 1), n one a task."""
    n = score * (1 - score) / stderr.where(stderr > 0) ** 2 + 1
    size = n.groupby(groups).transform("median").round()
    assert ((n / size - 1).abs() < 1e-3).where(n.notna(), True).all()
    return size.astype(int)


table = pd.read_parquet(folder / "pythia_evals.parquet")
table = table[table["note"].astype(str) != MISLABELLED].reset_index(drop=True)
for name in table.select_dtypes("category"):
    table[name] = table[name].astype(object)
plain = table["variant"].isin(["main", "final", "bf16"])  # the 1B run of v1 is the bf16 one
named = table["version"].notna()
table["model"] += ("-" + table["version"]).where(named, "")
table["model"] += ("-" + table["variant"]).where(~plain, "")
# The two corpora and the two rounds of training are families of their own, so are the case studies.
table["family"] = (
    table["family"].map(FAMILIES)
    + (" " + table["version"]).where(named, "")
    + table["deduped"].map({True: " deduped", False: ""})
    + (" " + table["variant"]).where(~plain, "")
)
at = ["model", "step"]
models = table.drop_duplicates(at).rename(columns={"params_nonembedding": "n_params"})
n_params, n_tokens = (models[name].astype("Float64") for name in ("n_params", "tokens"))
wikitext = table[table["metric"] == "bits_per_byte"].set_index(at)["value"].astype(float)
models = pd.DataFrame(
    {
        "model": models["model"],
        "run": models["model"],
        "step": models["step"],
        "family": models["family"],
        "n_params": models["n_params"],
        "n_params_kind": np.where(models["n_params"].notna(), "non-embedding", None),
        "n_tokens": models["tokens"],
        "flops": 6.0 * n_params * n_tokens,
        "wikitext_bits_per_byte": wikitext.reindex(pd.MultiIndex.from_frame(models[at])).to_numpy(),
        "size": models["size"],
        "version": models["version"],
        "deduped": models["deduped"],
        "variant": models["variant"],
    }
).sort_values(["family", "n_params", "model", "step"], kind="stable")
models["wikitext_bits_per_byte"] = models["wikitext_bits_per_byte"].map("{:.7g}".format)
models = models.replace("nan", None)
models.to_csv(out / "models.csv.xz", index=False)

value, stderr = table["value"].astype(float), table["stderr"].astype(float)
share = table["metric"].isin(SHARES)
groups = [table.loc[share, name] for name in ("task", "metric")]
n_examples = sized(value[share], stderr[share], groups).reindex(table.index).astype("Int64")
n_correct = (value * n_examples.astype("Float64")).round().astype("Int64")
accuracy = table["metric"].isin(["acc", "acc_norm"])
results = pd.DataFrame(
    {
        "model": table["model"],
        "step": table["step"],
        "task": table["task"],
        "metric": table["metric"],
        "n_shots": table["n_shots"],
        "n_correct": n_correct,
        "n_examples": n_examples,
        "score": value.where(~share).map("{:.7g}".format).replace("nan", None),
        "stderr": stderr.where(~share).map("{:.7g}".format).replace("nan", None),
        "chance": table["task"].map({name: chance(name) for name in table["task"].unique()}),
        "higher_is_better": ~table["metric"].isin(LOWER_IS_BETTER),
    }
)
results["chance"] = results["chance"].where(accuracy)
order = {name: place for place, name in enumerate(models["model"].unique())}
results = results.assign(order=results["model"].map(order))
results = results.sort_values(["task", "metric", "n_shots", "order", "step"], kind="stable")
results.drop(columns="order").to_csv(out / "results.csv.xz", index=False, compression=XZ)

sums = pd.read_csv(folder / "pythia_v0_arithmetic.csv.gz")
arithmetic = pd.DataFrame(
    {
        "model": sums["model_renamed"] + "-v0",
        "step": sums["checkpoint"],
        "task": sums["op"],
        "operand": sums["operand"],
        "n_shots": sums["fewshot"],
        "n_correct": (sums["acc"] * PROMPTS).round().astype(int),
        "n_examples": PROMPTS,
    }
)
assert np.allclose(arithmetic["n_correct"] / PROMPTS, sums["acc"], atol=1e-9)
arithmetic["order"] = arithmetic["model"].map(order)
arithmetic = arithmetic.sort_values(["task", "n_shots", "order", "step", "operand"], kind="stable")
arithmetic.drop(columns="order").to_csv(out / "arithmetic.csv.xz", index=False)
