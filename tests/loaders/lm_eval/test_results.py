"""Results of lm-evaluation-harness, early and late: value for value what stands in the files."""

import json
import shutil

import numpy as np
import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.lm_eval import bigscience, early, results, samples
from emergekit.loaders.lm_eval.counts import pooled_stderr, recovered_count
from emergekit.loaders.lm_eval.identity import shot_conflict

FOLDER = "lm_eval/acme__tiny-10m"
RESULTS = f"{FOLDER}/results_2026-01-02T03-04-05.000001.json"


def score(table, task, metric, **more):
    rows = table[(table["task"] == task) & (table["metric"] == metric)]
    for name, value in more.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def messages(tables):
    return " | ".join(tables.notes["message"])


def assert_same_numbers(table, content, key):
    """Hold each number of the file against the table, and the table against the file."""
    said = {}
    for task, scores in content.items():
        numbers = {n: v for n, v in scores.items() if isinstance(v, float) and "stderr" not in n}
        said |= {key(task, name): value for name, value in numbers.items()}
    filters = table["filter"].fillna("none") if "filter" in table else "none"
    ours = dict(zip(zip(table["task"], table["metric"], table.assign(f=filters)["f"], strict=True),
                    table["score"], strict=True))  # fmt: skip
    assert ours == said


def test_early_results_are_read_value_for_value(files):
    tables = load(files / "lm_eval" / "early.json")
    assert tables.models[["model", "step"]].values.tolist() == [["acme/tiny", 512]]
    arc = score(tables.results, "arc_easy", "acc_norm")
    assert (arc["score"], arc["stderr"], arc["n_examples"], arc["n_shots"]) == (
        0.4, 0.16329931618554522, 10, 2
    )  # fmt: skip
    assert arc["n_examples_source"] == "recovered"
    assert not score(tables.results, "wikitext", "word_perplexity")["higher_is_better"]
    bleu = score(tables.results, "wmt14-en-fr", "bleu")
    assert (bleu["score"], bleu["stderr"], bleu["high"]) == (0.25, 0.015, 1.0)
    assert "only the first 10 examples" in messages(tables)
    assert np.isnan(bleu["n_examples"])


def test_late_results_are_read_value_for_value(files):
    tables = load(files / RESULTS)
    content = json.loads((files / RESULTS).read_text())["results"]
    assert_same_numbers(tables.results, content, lambda task, name: (task, *name.split(",")))
    assert tables.models.iloc[0].to_dict() == {
        "model": "acme/tiny-10m",
        "n_params": 10485760,
        "n_params_kind": "total",
        "n_params_source": "reported",
    }
    choose = score(tables.results, "choose", "acc_norm")
    assert (choose["n_shots"], choose["n_examples"], choose["group"]) == (3, 2, "both")
    assert choose["n_examples_source"] == "reported"
    assert tables.results["filter"].dropna().unique().tolist() == [
        "strict-match", "flexible-extract"
    ]  # fmt: skip
    assert tables.results.loc[tables.results["is_group"], "task"].tolist() == ["both"]
    assert "--limit 2.0; not the whole of a task: choose (2 of 1000)" in messages(tables)
    options = score(tables.results, "write", "exact_match", filter="strict-match")
    assert options["metric_options"] == '{"ignore_case": true}'


def test_bigscience_results_are_read_by_prompt_and_time(files):
    tables = load(files / "lm_eval" / "bslmeval.json")
    rows = tables.results.fillna({"subtask": "", "run": ""})
    assert rows[["model", "task", "subtask", "run", "score"]].values.tolist() == [
        ["lm_eval", "arc_easy", "", "", 0.5],
        ["lm_eval", "axb", "GPT-3 style", "2022-07-07-15-16-12", 0.4],
        ["lm_eval", "axb", "GPT-3 style", "2022-07-08-15-16-12", 0.45],
    ]
    assert "'lm_eval' is named by its file or folder" in messages(tables)


def test_each_reader_takes_its_own_files_only(files):
    own = {
        "early.json": early,
        "bslmeval.json": bigscience,
        "early_samples.jsonl": samples,
        "results_2026-01-02T03-04-05.000001.json": results,
        "samples_write_2026-01-02T03-04-05.000001.jsonl": samples,
    }
    for file in (files / "lm_eval").rglob("*.json*"):
        scores = {module.NAME: module.can_read(file) for module in (early, bigscience, samples,
                  results)}  # fmt: skip
        if file.name in own:
            assert max(scores, key=scores.get) == own[file.name].NAME, file.name
            assert scores[own[file.name].NAME] >= 0.9


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("zero-shot/1b-5shot_step1.json", "the path says 0 and 5 shots, and the file 0"),
        ("five-shot/a.json", "the path says 5 shots, and the file 0"),
        ("zero-shot/a.json", None),
        ("x/a.json", None),
    ],
)
def test_a_label_of_shots_that_the_config_contradicts_is_noted(path, said, tmp_path):
    note = shot_conflict(tmp_path / path, {0})
    assert (note is None) if said is None else said in note[3]


def test_examples_are_recovered_where_the_numbers_tell():
    for n, right in [(10, 5), (1511, 864), (100_000, 33_333), (2, 1)]:
        p = right / n
        assert recovered_count(p, np.sqrt(p * (1 - p) / (n - 1))) == n
    assert recovered_count(0.5, 0.0123) is None
    assert recovered_count(float("nan"), 0.1) is None
    assert recovered_count(0.3, float("nan")) is None


def test_pooled_errors_are_those_of_the_examples_together():
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 2, n).astype(float) for n in (40, 25, 300)]
    errors = [part.std(ddof=1) / np.sqrt(len(part)) for part in parts]
    pooled = pooled_stderr(errors, [len(part) for part in parts])
    together = np.concatenate(parts)
    assert pooled == pytest.approx(together.std(ddof=1) / np.sqrt(len(together)), rel=0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"results": {"choose": 3}}, r"'results.choose' must be an object"),
        ({"results": {"choose": {"acc,none": "x"}}}, r"'results.choose.acc,none' must be a number"),
        ({"results": {"choose": {"acc,none": [1]}}}, r"must be a number, but holds \[1\]"),
        ({"results": {}}, "there are no scores in it"),
        ({"results": {"choose": {"acc,none": "N/A"}}}, "no score in it is a number"),
        ({"config": "x"}, r"'config' must be an object"),
        ({"config": {"model_args": 3}}, r"'config.model_args.model_args' must be text"),
        ({"group_subtasks": {"both": "choose"}}, r"'group_subtasks.both' must be a list"),
        ({"n-samples": 3}, r"'n-samples' must be an object"),
    ],
)
def test_a_damaged_field_is_named(files, write, change, said):
    content = json.loads((files / RESULTS).read_text()) | change
    with pytest.raises(LoadError, match=said):
        load(write(json.dumps(content), "results_2026-01-02T03-04-05.json"))


@pytest.mark.parametrize(
    ("leaves", "lack"),
    [
        # A score of 1 has no spread, so that nothing tells its examples.
        ({"a": (0.4, 0.16329931618554522), "b": (1.0, 0.0)}, "1 of its 2 tasks have no count of"),
        ({"a": (0.4, 0.16329931618554522)}, "some of its tasks are not in the file"),
    ],
)
def test_the_error_of_a_group_that_cannot_be_checked_is_flagged(write, leaves, lack):
    scores = {"g": (0.7, 0.5), **leaves}
    content = {
        "results": {
            task: {"acc,none": value, "acc_stderr,none": stderr}
            for task, (value, stderr) in scores.items()
        },
        "group_subtasks": {"g": ["a", "b"]},
        "configs": {},
        "versions": {},
        "model_name": "m",
    }
    tables = load(write(json.dumps(content), "results_2026-01-02T03-04-05.json"))
    assert f"error of group 'g' (acc) is not checkable: {lack}" in messages(tables)
    assert "the file's 0.5 was kept" in messages(tables)
    assert score(tables.results, "g", "acc")["stderr"] == 0.5


def test_what_is_missing_is_taken_from_elsewhere(files, write):
    content = json.loads((files / RESULTS).read_text())
    bare = {name: content[name] for name in ("results", "versions")} | {"configs": {}}
    path = write(json.dumps(bare), "acme__other-1b/results_2026-01-02T03-04-05.json")
    tables = load(path)
    assert tables.models["model"].tolist() == ["acme/other-1b"]
    assert tables.models["n_params_source"].tolist() == ["parsed"]
    assert "named by its folder" in messages(tables)


def test_real_early_files_are_read_value_for_value(formats):
    for file in sorted((formats / "lm_eval_v03").glob("*.json")):
        content = json.loads(file.read_text())
        tables = load(file)
        assert_same_numbers(
            tables.results, content["results"], lambda task, name: (task, name, "none")
        )
        assert set(tables.results["n_shots"]) == {content["config"]["num_fewshot"]}
        step = {"step3000": 3000, "1b-5shot_step512": 512, "11500": 11500}
        step = next((n for name, n in step.items() if name in file.name), 512)
        assert tables.models["step"].tolist() == [step]
        counts = tables.results.set_index("task")["n_examples"]
        assert set(counts.get("arc_easy", [2376])) == {2376}  # ARC-Easy, test split
        is_odd = ("five-shot" in file.name and "v0" in file.name) or "5shot" in file.name
        assert ("the path says" in messages(tables)) == is_odd


def test_the_examples_of_the_basque_exams_add_up(formats):
    # 29 exams; their weighted mean is the group's score in every digit, its error is not pooled.
    tables = load(formats / "lm_eval_v04" / "latxa_bloom-7b1_eus_exams_eu_5-shot.json")
    rows = tables.results[tables.results["metric"] == "acc"]
    exams, group = rows[~rows["is_group"]], rows[rows["is_group"]].iloc[0]
    assert (len(exams), exams["n_examples"].sum(), group["n_examples"]) == (29, 15_724, 15_724)
    mean = (exams["score"] * exams["n_examples"]).sum() / exams["n_examples"].sum()
    assert mean == pytest.approx(group["score"], abs=1e-15)
    assert group["score"] == 0.2506995675400661
    assert group["stderr_reported"] == 0.028527663333805756
    assert group["stderr"] == pytest.approx(0.00345, abs=1e-5)
    assert set(exams["n_shots"]) == {5}
    assert "is not pooled from its 29 tasks" in messages(tables)


def test_real_late_files_are_read_value_for_value(formats):
    late = [*(formats / "lm_eval_v04").glob("*.json"),
            *(formats / "lm_eval_v0413_generated").rglob("results*.json")]  # fmt: skip
    assert len(late) == 7
    for file in late:
        content = json.loads(file.read_text())["results"]
        table = load(file).results
        assert_same_numbers(table, content, lambda task, name: (task, *name.split(",")))
        if "generated" in str(file):
            group = table[table["is_group"]].iloc[0]
            assert (group["n_examples"], "stderr_reported" in table) == (60, False)


def test_real_bigscience_files_are_read_value_for_value(formats):
    folder = formats / "lm_eval_bigscience"
    bloom = load(folder / "bloom_bslmeval.json")
    content = json.loads((folder / "bloom_bslmeval.json").read_text())["results"]
    said = [
        value
        for times in content.values()
        for scores in times.values()
        for name, value in scores.items()
        if isinstance(value, float) and not name.endswith("_stderr")
    ]
    assert bloom.results["score"].tolist() == said
    assert bloom.models["model"].tolist() == ["bloom"]
    bias = load(next(folder.glob("pythia*")))
    assert bias.results["score"].iloc[0] == 0.03282828282828283
    assert set(bias.results["n_examples"]) == {396}  # WinoBias, 396 sentences a type
    assert bias.results["subtask"].unique().tolist() == ["What does p stand for", "refers_to"]


def test_evaluations_of_one_model_are_kept_as_runs(files, tmp_path):
    folder = tmp_path / "acme__tiny-10m"
    shutil.copytree(files / FOLDER, folder)
    again = folder / "results_2026-02-02T03-04-05.000001.json"
    shutil.copy(files / RESULTS, again)
    tables = load(folder)
    assert set(tables.results["run"]) == {
        "2026-01-02T03-04-05.000001", "2026-02-02T03-04-05.000001"
    }  # fmt: skip
    assert tables.samples["run"].unique().tolist() == ["2026-01-02T03-04-05.000001"]
    assert "2 evaluations" in messages(tables)
    assert len(tables.models) == 1
    again.unlink()
    assert "run" not in load(folder).results
