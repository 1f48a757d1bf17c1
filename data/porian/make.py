"""Write the IsoFLOP points, optima and fits: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
folder = reference / "scaling"

CONFIGURATION = ["hparams", "warmup", "decay", "flop_count"]
SETTINGS = {  # in the order of the paper: one change after another, then other ways to count
    ("base", "long", "kaplan", "kaplan"): "kaplan",
    ("base", "long", "kaplan", "standard"): "last_layer",
    ("base", "short", "kaplan", "standard"): "short_warmup",
    ("base", "short", "chinchilla", "standard"): "matched_decay",
    ("tuned", "short", "const", "standard"): "tuned",
    ("base", "long", "kaplan", "attention"): "last_layer_attention",
    ("base", "short", "kaplan", "attention"): "short_warmup_attention",
    ("base", "short", "chinchilla", "attention"): "matched_decay_attention",
    ("tuned", "short", "const", "attention"): "tuned_attention",
    ("tuned", "long", "const", "kaplan"): "tuned_kaplan",
}
DATASETS = {"rw": "RefinedWeb", "owt2": "OpenWebText2"}
DECAYS = {"kaplan": "long_cosine", "chinchilla": "matched_cosine", "const": "none"}
KINDS = {
    "kaplan": "non-embedding, without last layer",
    "standard": "non-embedding, with last layer",
    "attention": "forward and backward FLOPs per token / 6, with attention",
}
VOCABULARY, CONTEXT = 50432, 2048  # tokens


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return which configuration each row belongs to."""
    keys = pd.MultiIndex.from_frame(table[CONFIGURATION])
    return pd.DataFrame(
        {
            "dataset": table["dataset"].map(DATASETS),
            "setting": [SETTINGS[key] for key in keys],
            "tuned": table["hparams"] == "tuned",
            "warmup": table["warmup"],
            "decay": table["decay"].map(DECAYS),
            "flop_count": table["flop_count"],
            "loss_split": table["loss_split"],
        }
    )


points = pd.read_csv(folder / "porian_isoflop_points.csv.gz")
# The three ways to count order the 16 networks alike, and their differences tell the shapes:
# the last layer has VOCABULARY x width parameters, attention adds CONTEXT x width x depth.
counts = {count: np.sort(rows["params"].unique()) for count, rows in points.groupby("flop_count")}
widths = (counts["standard"] - counts["kaplan"]) / VOCABULARY
depths = (counts["attention"] - counts["standard"]) / (CONTEXT * widths)
shapes = {
    (count, n_params): (int(width), int(depth))
    for count, sizes in counts.items()
    for n_params, width, depth in zip(sizes, widths, depths, strict=True)
}
shape = [shapes[key] for key in zip(points["flop_count"], points["params"], strict=True)]
labels = labelled(points)
names = pd.Series([f"porian-{number:04d}" for number in range(1, len(points) + 1)])
# Without a decay to an end, one run passes every budget, and is counted in several ways.
trainings = (
    labels["dataset"].str.lower()
    + labels["tuned"].map({True: "-tuned", False: ""})
    + "-"
    + labels["warmup"]
    + "_warmup-width_"
    + [str(width) for width, _ in shape]
)
table = pd.DataFrame(
    {
        "model": names,
        "run": names.where(labels["decay"] == "matched_cosine", trainings),
        "family": labels["dataset"] + "/" + labels["setting"],
        "n_params": points["params"].astype(int),
        "n_params_kind": points["flop_count"].map(KINDS),
        "n_tokens": points["tokens"],
        "flops": points["flops"],
        "loss": points["loss"],
        "loss_dataset": labels["dataset"],
        **labels,
        "width": [width for width, _ in shape],
        "depth": [depth for _, depth in shape],
    }
)
table.to_csv(out / "points.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})

pairs = pd.read_csv(folder / "porian_optimal_pairs.csv")
optima = labelled(pairs).assign(
    flops=pairs["flops"],
    n_params=pairs["n_opt"],
    n_tokens=pairs["tokens_opt"],
    tokens_per_param=pairs["multiplier"],
    loss=pairs["loss_opt"],
    log_n_params_stderr=pairs["n_star_std"],
    log_loss_stderr=pairs["loss_star_std"],
)
optima.to_csv(out / "optima.csv.xz", index=False)

published = pd.read_csv(folder / "porian_fits.csv")
fits = labelled(published).assign(weighted=published["fit"] == "weighted")
for theirs, ours in {"n": "n_params", "t": "n_tokens", "multiplier": "tokens_per_param"}.items():
    for what in ("exponent", "coef", "r2"):
        fits[f"{ours}_{what}"] = published[f"{theirs}_{what}"]
fits["n_params_exponent_lower"] = published["boot_n_exp_lo"]
fits["n_params_exponent_upper"] = published["boot_n_exp_hi"]
fits["n_bootstrap"] = published["boot_n"].astype("Int64")
for name in ("A", "E", "alpha"):
    fits[name] = published[name]
# The grid of starts of the loss fit holds log A = 5 and alpha = 0.1: there it never moved.
stuck = np.isclose(fits["A"], np.exp(5), rtol=1e-12) & np.isclose(fits["alpha"], 0.1, rtol=1e-12)
fits["loss_fit_moved"] = ~stuck
fits.to_csv(out / "fits.csv.xz", index=False)
