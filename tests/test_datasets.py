import gzip
import subprocess
import sys

import pytest

from emergekit import datasets
from emergekit.tables import MODELS, RESULTS
from tests.contracts import check_dataset, check_table

FOLDERS = ("bigg", "chinchilla", "open_models", "wei_classes")


def content(file):
    raw = file.read_bytes()
    return gzip.decompress(raw) if file.suffix == ".gz" else raw


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


def test_every_folder_says_where_it_comes_from():
    for name in FOLDERS:
        readme = (datasets.data_folder() / name / "README.md").read_text()
        for word in ("Source", "commit", "Licence", "How made"):
            assert word in readme, (name, word)


def test_bundled_data_stay_small():
    files = [file for file in datasets.data_folder().rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 8e6


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_script_beside_a_table_writes_that_table(folder, reference_files, tmp_path):
    made = datasets.data_folder() / folder
    subprocess.run([sys.executable, made / "make.py", reference_files, tmp_path], check=True)
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == sorted(f.name for f in made.iterdir() if f.suffix in (".csv", ".gz"))
    for name in written:
        assert content(tmp_path / name) == content(made / name), name
