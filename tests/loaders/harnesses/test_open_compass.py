import shutil
from pathlib import Path

import pytest

from emergekit import load
from emergekit.errors import LoadError

RUN = Path(__file__).parents[2] / "files" / "open_compass" / "20260102_030405"


@pytest.fixture
def run(tmp_path):
    """Return a copy of the run, to be damaged."""
    return Path(shutil.copytree(RUN, tmp_path / RUN.name))


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def test_results_of_a_run_are_fractions():
    tables = load(RUN)
    rows = tables.results.set_index(["task", "metric"])
    assert rows["score"].to_dict() == {
        ("colours", "accuracy"): 1.0,
        ("colours", "correct_bpb"): 0.5,
        ("colours", "incorrect_bpb"): 0.75,
        ("sums", "accuracy"): pytest.approx(2 / 3),
        ("sums", "odd_index"): 3.5,
    }
    assert rows["n_examples"].to_dict()[("sums", "accuracy")] == 3
    assert set(rows["model"]) == {"tiny-hf"}
    assert rows["filter"].to_dict()[("colours", "accuracy")] == "ppl"
    assert set(rows["evaluation"]) == {"20260102_030405"}
    assert "of unknown scale, left as they are: odd_index" in said(tables)


def test_answers_come_from_parts_and_details():
    sums = load(RUN).samples.query("task == 'sums'").set_index("example_id")
    assert sums["prediction"].to_dict() == {"0": "2", "1": "5", "2": "6"}
    assert sums["output"].to_dict() == {"0": " 2.", "1": "5", "2": "6"}
    assert sums["target"].to_dict() == {"0": "2", "1": ["4", "four"], "2": "6"}
    assert sums["reported_accuracy"].mean() == pytest.approx(2 / 3)


def test_what_is_called_ppl_is_a_loss_and_no_log_probability():
    (colours,) = load(RUN).samples.query("task == 'colours'").to_dict("records")
    assert colours["choices"] == ["A", "B"]
    assert colours["choice_losses"] == [1.25, 2.5]
    assert colours["choice_bits_per_byte"] == [0.5, 0.75]
    assert (colours["gold"], colours["prediction"]) == (0, "A")
    assert "choice_logprobs" not in load(RUN).samples


def test_each_file_stands_for_what_lies_beside_it(run):
    one = load(run / "predictions" / "tiny-hf" / "sums_1.json")
    other = load(run / "results" / "tiny-hf" / "sums.json")
    assert one.samples.equals(other.samples)
    (run / "results" / "tiny-hf" / "sums.json").unlink()
    alone = load(run / "predictions" / "tiny-hf" / "sums_0.json")
    assert alone.results.empty
    assert alone.samples["prediction"].tolist() == [" 2.", "5", "6"]


def test_details_alone_give_samples(run):
    shutil.rmtree(run / "predictions")
    sums = load(run).samples.query("task == 'sums'")
    assert sums["prediction"].tolist() == ["2", "5", "6"]


def test_a_summary_is_read_where_no_results_are(run):
    tables = load(run / "summary")
    rows = tables.results.set_index(["model", "task"])["score"]
    assert rows.to_dict() == {
        ("tiny-hf", "sums"): pytest.approx(0.6667),
        ("tiny-hf", "colours"): 1.0,
        ("tiny-hf", "all"): pytest.approx(0.8333),
        ("small-hf", "sums"): 0.75,
    }
    assert set(tables.results["evaluation"]) == {run.name}
    assert set(tables.results["task_version"].dropna()) == {"1a2b3c", "4d5e6f"}


def test_a_damaged_part_costs_what_comes_after_it(run):
    (run / "predictions" / "tiny-hf" / "sums_0.json").write_text('{"0": {"prediction": "2"')
    tables = load(run)
    errors = tables.notes.query("severity == 'error'")
    assert errors["message"].str.contains("sums_0.json: line 1, column").all()
    sums = tables.samples.query("task == 'sums'")
    assert sums["prediction"].tolist() == ["2", "5", "6"]  # out of the details
    assert len(tables.results) == 5


@pytest.mark.parametrize(
    ("folder", "text", "message"),
    [
        ("predictions", '{"first": {"prediction": "a"}}', "'first' must be the number of an exam"),
        ("predictions", '{"0": {"prediction": "a", "label: A": {}}}', "'0.A.PPL' is absent"),
        ("results", '{"error": "No predictions found."}', "there are no scores in it"),
        ("results", '{"accuracy": 50, "details": {"0": 3}}', "'details.0' must be an object"),
        ("results", '{"accuracy": 50, "type": 3}', "'type' must be text"),
    ],
)
def test_wrong_fields_are_named(folder, text, message, tmp_path):
    path = tmp_path / "run" / folder / "tiny" / "sums.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    if "details" in text:
        tables = load(path, format="open_compass")
        assert message in said(tables)
    else:
        with pytest.raises(LoadError, match=message):
            load(path, format="open_compass")


def test_a_summary_without_models_or_numbers_is_refused(write):
    with pytest.raises(LoadError, match="no column of a model"):
        load(write("dataset,version,metric,mode,\na,b,c,d,\n", "summary_1.csv"))
    text = "dataset,version,metric,mode,m\na,b,accuracy,gen,high\n"
    with pytest.raises(LoadError, match="line 2: 'm' must be a number, but holds 'high'"):
        load(write(text, "summary_1.csv"))
