import json
from pathlib import Path

import pytest

from emergekit import load
from emergekit.errors import LoadError

RIVERS = Path(__file__).parents[2] / "files" / "openai_evals" / "rivers.jsonl"


def changed(path, number, record):
    """Write the log with one line replaced, or added at the end."""
    lines = RIVERS.read_text().splitlines()
    lines[number : number + 1] = [record if isinstance(record, str) else json.dumps(record)]
    path.write_text("\n".join(lines))
    return path


def test_lines_in_any_order_are_one_run():
    tables = load(RIVERS)
    (row,) = tables.results.to_dict("records")
    assert (row["model"], row["task"], row["subtask"]) == ("acme/tiny", "rivers", "s1.v0")
    assert (row["metric"], row["score"], row["stderr"]) == ("accuracy", 0.5, 0.25)
    assert (row["n_shots"], row["n_examples"], row["evaluation"]) == (2, 2, "r7")
    said = tables.notes["message"].str.cat(sep="\n")
    assert "1 requests broke" in said
    assert "at most 4 examples were asked" in said


def test_events_are_samples():
    rows = load(RIVERS).samples.set_index("example_id")
    assert rows["prediction"].dropna().to_dict() == {
        "rivers.s1.0": "blue",
        "rivers.s1.1": "shallow",
    }
    assert rows.loc["rivers.s1.1", "target"] == ["deep", "very deep"]
    assert rows["reported_accuracy"].tolist()[:2] == [1.0, 0.0]
    assert rows.loc["rivers.s1.3", "choices"] == ["yes", "no"]
    assert rows.loc["rivers.s1.3", "choice_logprobs"] == [-0.5, -1.5]
    assert rows.loc["rivers.s1.3", "reported_edit"] == 3
    assert "rivers.s1.2" not in rows.index


def test_answers_again_are_repeats(tmp_path):
    again = json.loads(RIVERS.read_text().splitlines()[1])
    rows = load(changed(tmp_path / "a.jsonl", 3, again)).samples
    assert rows["repeat"].dropna().tolist() == [0, 1]


def test_a_run_without_report_is_read_with_a_note(tmp_path):
    tables = load(changed(tmp_path / "a.jsonl", 0, {"other": 1}), format="openai_evals")
    assert tables.results.empty
    assert tables.notes["message"].str.contains("no line has the final report").any()


@pytest.mark.parametrize(
    ("number", "record", "message"),
    [
        (8, {"other": 1}, "no line has a 'spec'"),
        (1, {"spec": {}}, r"line 9: 'spec' is there twice"),
        (8, {"spec": {"completion_fns": "a"}}, "line 9: 'spec.eval_name' is absent"),
        (8, {"spec": {"eval_name": "a", "completion_fns": []}}, "line 9: 'spec.completion_fns' is"),
        (3, {"sample_id": 3, "type": "match"}, "line 4: 'sample_id' must be text"),
        (3, {"sample_id": "a", "type": "match", "data": {"correct": "yes"}}, "line 4: 'data.corr"),
        (5, {"sample_id": "a", "type": "cond_logp", "data": {}}, "line 6: 'data.completion' is ab"),
        (4, '{"run_id": "r7", "ev', "line 5: column .* cut off or broken"),
    ],
)
def test_damage_names_its_line(number, record, message, tmp_path):
    with pytest.raises(LoadError, match=message):
        load(changed(tmp_path / "a.jsonl", number, record), format="openai_evals")


def test_a_real_log_gives_its_numbers(reference_files):
    (path,) = (reference_files / "formats" / "openai_evals").glob("*.jsonl")
    tables = load(path)
    (row,) = tables.results.to_dict("records")
    assert row["score"] == 0.3333333333333333
    assert (row["model"], row["task"]) == ("auto_gpt_completion_fn", "test-match")
    assert (row["subtask"], row["n_examples"]) == ("s1.simple-v0", 3)
    samples = tables.samples.set_index("example_id")
    assert samples["reported_accuracy"].mean() == pytest.approx(row["score"])
    assert samples.loc["test-match.s1.1", "prediction"] == "George Washington"
    assert samples.loc["test-match.s1.2", "target"] == "15"


def test_the_scale_of_accuracy_is_known():
    [row] = load(RIVERS).results.to_dict("records")
    assert (row["low"], row["high"], row["higher_is_better"]) == (0.0, 1.0, True)
