import gzip
import lzma
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import Akima1DInterpolator

from emergekit import datasets, load
from emergekit.errors import LoadError
from emergekit.tables import MODELS, RESULTS, join_models
from tests.contracts import check_dataset, check_table

FOLDERS = (
    "bigg",
    "bnsl_addition",
    "chinchilla",
    "extrapolation_benchmark",
    "gadre",
    "obsscaling",
    "olmo_ladder",
    "open_models",
    "porian",
    "pythia",
    "snell",
    "wei_classes",
)
UNPACK = {".csv": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}


def content(file):
    return UNPACK[file.suffix](file.read_bytes())


def log_rmse(predicted, observed):
    return np.sqrt(np.mean((np.log(predicted) - np.log(observed)) ** 2))


def test_chinchilla_has_245_runs_of_which_240_are_fitted():
    runs = datasets.load_chinchilla()
    check_table(runs, MODELS)
    check_dataset(runs)
    assert len(runs) == 245
    assert runs["used_in_fit"].sum() == 240
    assert runs["used_in_fit"].dtype == bool
    dropped = runs.loc[~runs["used_in_fit"], "loss"]
    assert dropped.min() > runs.loc[runs["used_in_fit"], "loss"].max()  # the five highest losses
    assert runs["flops"].to_numpy() == pytest.approx(6 * runs["n_params"] * runs["n_tokens"])


def test_bigg_has_85_tasks_at_12_exact_sizes():
    bigg = datasets.load_bigg()
    check_table(bigg.models, MODELS)
    check_table(bigg.results, RESULTS)
    check_dataset(bigg.results)
    assert bigg.results["task"].nunique() == 85
    assert len(bigg.models) == 12
    assert bigg.models["n_params"].iloc[[0, -1]].tolist() == [2_098_048, 137_440_272_384]
    sharp = bigg.results[bigg.results["metric"].isin(["exact_match", "multiple_choice_grade"])]
    assert len(sharp) == 85 * 12
    assert (bigg.results["sample"] == "shared_split").all()


def test_brier_scores_of_bigg_are_the_sum_of_their_parts():
    # miscalibration - discrimination + uncertainty (CORP); the source prints six digits
    results = datasets.load_bigg().results
    wide = results.pivot(index=["model", "task"], columns="metric", values="score")
    whole = (
        wide["confidence_brier_miscalibration"]
        - wide["confidence_brier_discrimination"]
        + wide["confidence_brier_uncertainty"]
    )
    assert whole.to_numpy() == pytest.approx(wide["confidence_brier"].to_numpy(), abs=2e-6)


def test_the_other_draw_of_bigg_is_the_largest_model_alone():
    other = datasets.load_bigg("own_split")
    check_table(other.results, RESULTS)
    assert other.models["model"].tolist() == ["BIG-G-128b"]
    assert (other.results["subtask"] == "own_split").all()
    assert (other.results["sample"] == "own_split").all()
    with pytest.raises(ValueError, match="did you mean 'own_split'"):
        datasets.load_bigg("own-split")


def test_open_models_have_thirds_of_difficulty():
    opened = datasets.load_open_models()
    check_table(opened.models, MODELS)
    check_table(opened.results, RESULTS)
    check_dataset(opened.models)
    brier = opened.results[opened.results["metric"] == "target_brier"]
    means = brier.groupby("subtask")["score"].mean()
    assert means["easy_third"] < means["middle_third"] < means["hard_third"]


def test_wei_classes_count_as_in_the_paper():
    # Wei et al. 2022, appendix E: 58 smooth, 25 + 42 emergent, 45 flat
    classes = datasets.load_wei_classes()
    check_dataset(classes)
    counts = classes["scaling_class"].value_counts().to_dict()
    assert counts == {"smoothly_increasing": 58, "emergent": 67, "flat": 45, "other": 27}
    assert classes["task"].is_unique
    first = classes["first_emergent_model"].value_counts().to_dict()
    assert first == {
        "PaLM 540B": 25,
        "GPT-3 175B": 15,
        "PaLM 62B": 14,
        "LaMDA 137B": 8,
        "PaLM 8B": 3,
        "GPT-3 13B": 2,
    }


def test_porian_has_1745_points_in_15_configurations():
    points = datasets.load_porian()
    check_table(points, MODELS)
    check_dataset(points)
    assert len(points) == 1745
    assert points["model"].iloc[[0, -1]].tolist() == ["porian-0001", "porian-1745"]
    assert points["dataset"].value_counts().to_dict() == {"RefinedWeb": 1164, "OpenWebText2": 581}
    assert len(points[["dataset", "setting"]].drop_duplicates()) == 15
    assert points["family"].nunique() == 15
    assert not points.duplicated(["family", "flops", "n_params"]).any()
    assert points["flops"].to_numpy() == pytest.approx(6 * points["n_params"] * points["n_tokens"])


def test_the_three_counts_of_porian_are_of_the_same_16_networks():
    points = datasets.load_porian()
    counts = points.pivot_table(index=["width", "depth"], columns="flop_count", values="n_params")
    assert len(counts) == 16
    width, depth = (counts.index.get_level_values(name) for name in ("width", "depth"))
    assert (counts["standard"] - counts["kaplan"] == 50432 * width).all()
    assert (counts["attention"] - counts["standard"] == 2048 * width * depth).all()


def test_runs_of_porian_are_one_curve_however_they_are_counted():
    # Training losses of one run at the budgets of two ways to count fall in turn, as one curve.
    points = datasets.load_porian().query("dataset == 'RefinedWeb'")
    both = points[points["setting"].isin(["kaplan", "last_layer_attention"])]
    runs = both.sort_values("n_tokens").groupby("run")
    assert len(runs) == 16
    assert (runs["setting"].nunique() == 2).all()
    assert (runs["loss"].diff().dropna() < 0).all()


def test_exponents_of_porian_come_out_of_the_published_optima():
    optima, fits = datasets.load_porian("optima"), datasets.load_porian("fits")
    check_dataset(optima)
    check_dataset(fits)
    assert (len(optima), len(fits)) == (177, 30)
    plain = fits[~fits["weighted"]].set_index(["dataset", "setting"])["n_params_exponent"]
    for configuration, rows in optima.dropna().groupby(["dataset", "setting"]):
        slope, _ = np.polyfit(np.log(rows["flops"]), np.log(rows["n_params"]), 1)
        assert slope == pytest.approx(plain[configuration], abs=1e-9), configuration


@pytest.mark.parametrize(("setting", "published"), [("kaplan", 0.8338), ("tuned", 0.4970)])
def test_exponents_of_porian_come_out_of_the_points_by_interpolation(setting, published):
    # Porian et al. 2024, RefinedWeb, unweighted; theirs are medians over draws of seed noise.
    points = datasets.load_porian().query(f"dataset == 'RefinedWeb' and setting == '{setting}'")
    log_optima = {}
    for flops, rows in points.sort_values("n_params").groupby("flops"):
        log_n = np.log(rows["n_params"].to_numpy())
        grid = np.linspace(log_n[0], log_n[-1], 25 * (len(rows) - 1))
        lowest = int(np.argmin(Akima1DInterpolator(log_n, np.log(rows["loss"]))(grid)))
        if 0 < lowest < len(grid) - 1:
            log_optima[np.log(flops)] = grid[lowest]
    slope, _ = np.polyfit(list(log_optima), list(log_optima.values()), 1)
    assert slope == pytest.approx(published, abs=0.005)


def test_loss_fits_of_porian_that_never_moved_are_marked():
    fits = datasets.load_porian("fits")
    stuck = fits[~fits["loss_fit_moved"]]
    assert len(stuck) == 9
    assert stuck["weighted"].all()
    assert stuck["A"].to_numpy() == pytest.approx(np.exp(5))
    with pytest.raises(ValueError, match="did you mean 'fits'"):
        datasets.load_porian("fit")


def test_gadre_has_104_models_8_losses_and_46_accuracies():
    gadre = datasets.load_gadre()
    check_table(gadre.models, MODELS)
    check_table(gadre.results, RESULTS)
    check_dataset(gadre.models)
    check_dataset(gadre.results)
    assert len(gadre.models) == 104
    losses = gadre.models.filter(regex="^loss_").drop(columns="loss_dataset")
    assert losses.shape == (104, 8)
    assert (losses > 0).to_numpy().all()
    assert gadre.results["task"].nunique() == 46
    assert len(gadre.results) == 46 * 104
    assert gadre.results["score"].between(0, 1).all()
    assert set(gadre.results["model"]) == set(gadre.models["model"])


def test_flops_of_gadre_do_not_overflow():
    # Their product of integers passes 2^63: 47 of 104 values of the reference table are wrong.
    models = datasets.load_gadre().models
    n_params, n_tokens = models["n_params"].astype(float), models["n_tokens"].astype(float)
    assert models["flops"].to_numpy() == pytest.approx((6 * n_params * n_tokens).to_numpy())
    assert models["flops"].max() > 2**63
    per_param = 20 * models["chinchilla_multiplier"] * n_params
    assert n_tokens.to_numpy() == pytest.approx(per_param.to_numpy(), rel=1e-6)


# Gadre et al. 2024, their code on their five models a corpus: E, a, b, eta of
# loss = E + (a M^eta + b M^-eta) C^-eta, M = D / N, and the percentage by which it errs at 7B and
# at the over-trained 1B.
GADRE = {
    "C4": (1.5083, 141.28, 189.52, 0.12124, -4.3, 1.5),
    "RedPajama": (1.8366, 212.24, 366.69, 0.13643, 0.7, 0.7),
    "RefinedWeb": (1.7345, 157.12, 246.21, 0.12720, -1.6, 0.0),
}


@pytest.mark.parametrize("corpus", GADRE)
def test_fits_of_gadre_err_on_the_large_models_as_theirs_do(corpus):
    e, a, b, eta, at_7b, overtrained = GADRE[corpus]
    models = datasets.load_gadre().models.query(f"train_dataset == '{corpus}'")
    ratio = models["n_tokens"] / models["n_params"]
    predicted = e + (a * ratio**eta + b * ratio**-eta) * models["flops"] ** -eta
    error = (100 * (predicted / models["loss_c4_val"] - 1)).groupby(models["architecture"])
    assert error.last()["open_lm_7b"] == pytest.approx(at_7b, abs=0.06)
    assert error.last()["open_lm_1b"] == pytest.approx(overtrained, abs=0.06)


def test_olmo_ladder_has_every_checkpoint_once():
    ladder = datasets.load_olmo_ladder()
    check_table(ladder.models, MODELS)
    check_table(ladder.results, RESULTS)
    check_dataset(ladder.models)
    check_dataset(ladder.results)
    assert len(ladder.models) == 3960 - 12  # the source has twelve of the 13B run twice
    assert ladder.models.groupby("family")["run"].nunique().to_dict() == {
        "OLMo 2": 4,
        "OLMo ladder": 30,
    }
    assert ladder.models.groupby("run")["is_final"].sum().eq(1).all()
    losses = ladder.models.filter(regex="^loss_").drop(columns="loss_dataset")
    assert losses.shape[1] == 11
    assert losses.notna().to_numpy().all()
    assert (ladder.models["loss"] == ladder.models["loss_c4_en"]).all()
    joined = join_models(ladder.results, ladder.models)
    assert joined["loss"].notna().all()


def test_scores_of_olmo_ladder_are_whole_numbers_of_examples():
    results = datasets.load_olmo_ladder().results
    means = results["task"].str.startswith("mmlu") & ~results["subtask"].isin(
        ["stem", "humanities", "social_sciences", "other"]
    )
    shares = results[results["metric"].isin(["acc", "acc_norm"]) & ~means]
    n_correct = shares["score"] * shares["n_examples"]
    assert (n_correct - n_correct.round()).abs().max() < 0.01  # of six printed digits


def test_the_mean_of_mmlu_by_letters_is_that_of_its_four_groups():
    # loss_and_transitions.md, section 5: last loss below .30 and first above .40, by run
    ladder = datasets.load_olmo_ladder()
    scores = join_models(ladder.results.query("task == 'mmlu_mc'"), ladder.models)
    wide = scores.pivot(index=["run", "step", "loss"], columns="subtask", values="score")
    groups = wide[["stem", "humanities", "social_sciences", "other"]].mean(axis=1)
    assert wide["mean"].to_numpy() == pytest.approx(groups.to_numpy(), abs=1e-6)
    for run, low, high in (
        ("peteish13", 2.692, 2.665),
        ("peteish7", 2.705, 2.684),
        ("peteish7-medlr", 2.718, 2.699),
    ):
        curve = wide.loc[run]["mean"].reset_index().query("step > 0")
        assert curve.loc[curve["mean"] < 0.30, "loss"].min() == pytest.approx(low, abs=6e-4)
        assert curve.loc[curve["mean"] > 0.40, "loss"].max() == pytest.approx(high, abs=6e-4)


def test_pythia_has_the_clean_rows():
    pythia = datasets.load_pythia()
    check_table(pythia.models, MODELS)
    check_table(pythia.results, RESULTS)
    check_dataset(pythia.models)
    check_dataset(pythia.results)
    assert len(pythia.results) == 210_314 - 11_790  # five-shot by folder, zero-shot by config
    assert pythia.results["score"].notna().all()
    shares = pythia.results[pythia.results["metric"].isin(["acc", "acc_norm"])]
    assert shares["score"].between(0, 1).all()
    assert (shares.groupby("task")["n_examples"].nunique() == 1).all()
    losses = pythia.models.dropna(subset=["wikitext_bits_per_byte"])
    assert len(losses) == 150
    assert losses["run"].nunique() == 10
    assert (losses["version"] == "v0").all()


def test_standard_errors_of_pythia_are_those_of_the_source(reference_files):
    table = pd.read_parquet(reference_files / "pythia" / "pythia_evals.parquet")
    rows = table.query(
        "model == 'pythia-6.9b' and version == 'v1' and n_shots == 5 and step == 3000"
    )
    ours = datasets.load_pythia().results
    ours = ours.query("model == 'pythia-6.9b-v1' and n_shots == 5 and step == 3000")
    both = rows.astype({"task": str, "metric": str}).merge(
        ours, on=["task", "metric"], suffixes=("_theirs", "")
    )
    assert len(both) == len(rows) == len(ours)
    np.testing.assert_allclose(both["score"], both["value"], rtol=1e-6)
    np.testing.assert_allclose(both["stderr"], both["stderr_theirs"], rtol=1e-4)


def test_arithmetic_of_pythia_emerges_at_12b():
    # loss_and_transitions.md, section 4: 16-shot addition, steps 13,000 to 143,000
    tables = datasets.load_pythia_arithmetic()
    check_table(tables.models, MODELS)
    check_table(tables.results, RESULTS)
    check_dataset(tables.results)
    scores = join_models(tables.results, tables.models)
    scores = scores.query("task == 'arithmetic_addition' and n_shots == 16")
    curves = scores.pivot(index="size", columns="step", values="score")
    assert curves.loc["12b"].round(3).tolist() == [0.029, 0.100, 0.333, 0.688, 0.847, 0.874]
    assert curves.loc["2.8b"].round(3).tolist() == [0.033, 0.086, 0.141, 0.276, 0.495, 0.685]
    assert curves.loc[["160m", "410m", "1b", "1.4b"]].to_numpy().max() <= 0.0515
    by_operand = datasets.load_pythia_arithmetic("operand")
    check_table(by_operand.results, RESULTS)
    assert len(by_operand.results) == 42_000
    with pytest.raises(ValueError, match="did you mean 'operand'"):
        datasets.load_pythia_arithmetic("operands")


def test_extrapolation_benchmark_has_92_curves_and_no_duplicates():
    curves = datasets.load_extrapolation_benchmark()
    check_dataset(curves)
    columns = ["domain", "task", "model", "n_shots", "x", "loss", "is_fit"]
    assert curves.columns.tolist() == columns
    curve = ["domain", "task", "model"]
    counts = curves.drop_duplicates(curve)["domain"].value_counts().to_dict()
    assert counts == {"IC": 72, "NMT": 5, "LM": 5, "BB": 10}
    assert len(curves) == 20282 - 687
    assert not curves.duplicated([*curve, "x"]).any()
    assert curves["is_fit"].dtype == bool
    assert curves["loss"].between(0, 1).all()
    fitted, rest = (curves[curves["is_fit"] == part].groupby(curve)["x"] for part in (True, False))
    assert (fitted.max() < rest.min()).all()
    sizes = ["1.07e+09", "1.34e+08", "1.68e+07", "2.62e+08", "4.53e+08"]
    assert sorted(curves.loc[curves["domain"] == "LM", "model"].unique()) == sizes


# Root mean square log error on the part to predict, of a power law by least squares on logs:
# estimator M1 of Alabdulmohsin et al. 2022, which has a closed form (values computed, not printed).
M1 = {
    "28 Enc, 6 Dec": 0.1708,
    "6 Enc, 28 Dec": 0.2340,
    "6 Enc, 6 Dec": 0.2619,
    "Dec-only": 0.2520,
    "TEnc-LSTM": 0.1899,
    "1.07e+09": 0.0171,
    "1.34e+08": 0.0143,
    "1.68e+07": 0.0064,
    "2.62e+08": 0.0155,
    "4.53e+08": 0.0165,
}


@pytest.mark.parametrize("model", M1)
def test_power_laws_miss_the_benchmark_by_known_errors(model):
    curves = datasets.load_extrapolation_benchmark()
    curve = curves[(curves["model"] == model) & curves["domain"].isin(["NMT", "LM"])]
    fitted, rest = curve[curve["is_fit"]], curve[~curve["is_fit"]]
    slope, intercept = np.polyfit(np.log(fitted["x"]), np.log(fitted["loss"]), 1)
    predicted = np.exp(intercept + slope * np.log(rest["x"]))
    assert log_rmse(predicted, rest["loss"]) == pytest.approx(M1[model], abs=6e-5)


def test_addition_agrees_with_its_broken_power_law():
    # Caballero et al. 2022, form with one break; values of a converged fit to the first 14 points.
    a, b, c0, c1, d1, f1 = 0.41388, 2.27727, 0.055077, 5.66291, 612.58, 0.059193
    points = datasets.load_bnsl_addition()
    check_table(points, MODELS)
    check_dataset(points)
    x = points["x"]
    predicted = a + b * x**-c0 * (1 + (x / d1) ** (1 / f1)) ** (-c1 * f1)
    fitted = points["is_fit"]
    assert (len(points), fitted.sum()) == (17, 14)
    assert log_rmse(predicted[fitted], points["loss"][fitted]) == pytest.approx(5.985e-4, rel=1e-2)
    assert log_rmse(predicted[~fitted], points["loss"][~fitted]) == pytest.approx(0.0109, abs=1e-4)


def test_obsscaling_splits_as_in_the_paper():
    # Ruan et al. 2024: fitted up to Llama-2-7B, 84e21 FLOPs.
    tables = datasets.load_obsscaling()
    check_table(tables.models, MODELS)
    check_table(tables.results, RESULTS)
    check_dataset(tables.results)
    rows = join_models(tables.results, tables.models).query("task == 'word_unscrambling'")
    late = rows["is_preregistered"]
    assert (rows["flops"].le(84e21) & ~late).sum() == 44
    assert (rows["flops"].gt(84e21) & ~late).sum() == 19
    assert (rows["flops"].isna() & ~late).sum() == 2
    assert late.sum() == 19
    assert tables.results["score"].between(0, 1).all()
    known = tables.models.dropna(subset="flops")
    assert known["flops"].to_numpy() == pytest.approx(
        6.0 * known["n_params"].to_numpy() * known["n_tokens"].to_numpy(), rel=1e-9
    )


def test_snell_tables_have_their_derived_counts():
    # Snell et al. 2024, tables 2 and 3.
    ablations, elbows = (datasets.load_snell_tables(name) for name in ("ablations", "elbows"))
    check_dataset(elbows)
    counts = ablations.groupby("task")["is_success"].agg(["sum", "size"])
    assert counts["sum"].to_dict() == {"GSM8K": 17, "MMLU": 14, "CSQA": 9, "CoLA": 10}
    assert counts["size"].unique().tolist() == [19]
    known = elbows.dropna(subset="ground_truth")
    inside = known["ground_truth"].between(known["p5"], known["p95"])
    assert inside.groupby(known["method"]).sum().to_dict() == {"mcmc": 4, "bootstrap": 3}
    with pytest.raises(ValueError, match="did you mean 'elbows'"):
        datasets.load_snell_tables("elbow")


@pytest.mark.parametrize("folder", ["bnsl_addition", "gadre", "porian"])
def test_bundled_models_load_from_their_folder_as_from_their_loader(folder):
    ours = getattr(datasets, f"load_{folder}")()
    models = ours.models if folder == "gadre" else ours
    tables = load(datasets.data_folder() / folder)
    assert "error" not in tables.notes["severity"].tolist()
    assert tables.models["model"].tolist() == models["model"].tolist()
    assert tables.models["loss"].to_numpy(dtype=float) == pytest.approx(models["loss"].to_numpy())
    assert len(tables.results) == (4784 if folder == "gadre" else 0)


def test_curves_that_are_no_models_are_left_to_their_loader():
    with pytest.raises(LoadError, match="no table to read"):
        load(datasets.data_folder() / "extrapolation_benchmark")


def test_every_folder_says_where_it_comes_from():
    for name in FOLDERS:
        readme = (datasets.data_folder() / name / "README.md").read_text()
        for word in ("Source", "commit", "Licence", "How made"):
            assert word in readme, (name, word)


def test_bundled_data_stay_small():
    files = [file for file in datasets.data_folder().rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 8e6


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("olmo_ladder", "pythia") else name
        for name in FOLDERS
    ],
)
def test_the_script_beside_a_table_writes_that_table(folder, reference_files, tmp_path):
    made = datasets.data_folder() / folder
    subprocess.run([sys.executable, made / "make.py", reference_files, tmp_path], check=True)
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == sorted(f.name for f in made.iterdir() if f.suffix in UNPACK)
    for name in written:
        assert content(tmp_path / name) == content(made / name), name
