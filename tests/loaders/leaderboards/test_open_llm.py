import csv

import pytest

from emergekit import load
from emergekit.errors import LoadError

V1 = {"ARC": 25, "HellaSwag": 10, "MMLU": 5, "TruthfulQA": 0, "Winogrande": 5, "GSM8K": 5}


def test_percentages_become_fractions_and_submissions_stay_apart(files):
    tables = load(files / "open_llm_leaderboard" / "v1.csv")
    rows = tables.results.set_index(["model", "run", "task"])["score"]
    assert rows[("acme/a", "float16 aaaaaaa", "ARC")] == 0.61
    assert rows[("acme/a", "4bit aaaaaaa", "ARC")] == 0.6
    assert len(tables.results.query("model == 'acme/b'")) == 6  # Winogrande is a gap
    models = tables.models.set_index("model")
    assert models.loc["acme/a", "n_params"].tolist() == [1.3e9] * 2
    assert models.loc["acme/b", ["n_params", "n_params_source"]].isna().all()
    shots = tables.results.drop_duplicates("task").set_index("task")["n_shots"].dropna()
    assert shots.to_dict() == V1


def test_the_second_version_has_each_score_twice(files):
    rows = load(files / "open_llm_leaderboard" / "v2.csv").results.set_index(["task", "metric"])
    assert rows.loc[("GPQA", "acc_norm"), "score"] == 0.24
    assert rows.loc[("GPQA", "rescaled_acc_norm"), "score"] == -0.01
    assert rows.loc[("IFEval", "strict_acc"), "score"] == 0.8
    assert rows.loc[("Average", "mean"), "score"] == 0.2


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_real_exports_are_read_value_for_value(formats, version):
    file = formats / "open_llm_leaderboard" / f"{version}_first100rows.csv"
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    results = load(file).results
    for task in V1 if version == "v1" else ("BBH", "GPQA", "MMLU-PRO"):
        ours = results[results["task"] == task]
        raw = ours[~ours["metric"].str.startswith("rescaled")]["score"].tolist()
        if version == "v1":
            assert raw == [float(row[task]) / 100 for row in rows]
            continue
        assert raw == [float(row[f"{task} Raw"]) for row in rows]
        rescaled = ours[ours["metric"].str.startswith("rescaled")]["score"].tolist()
        assert rescaled == [float(row[task]) / 100 for row in rows]
    average = results[results["task"] == "Average"]["score"]
    assert average.tolist() == [float(row["Average ⬆️"]) / 100 for row in rows]


def test_damage_is_named(files, write):
    text = (files / "open_llm_leaderboard" / "v1.csv").read_text(encoding="utf-8")
    with pytest.raises(LoadError, match="line 2: 'ARC' must be a number, but holds 'x'"):
        load(write(text.replace("61,", "x,"), "v1.csv"))


def test_columns_that_pictures_alone_tell_apart_are_named(files, write):
    text = (files / "open_llm_leaderboard" / "v2.csv").read_text(encoding="utf-8")
    with pytest.raises(LoadError, match="two columns are named 'Model'; rename or drop one"):
        load(write(text.replace("Precision,", "Model 🔶,", 1), "v2.csv"))
    with pytest.raises(LoadError, match="Unknown column 'Model'"):
        load(write(text.replace("T,Model,", "T,Old Model,", 1), "v2.csv"))
