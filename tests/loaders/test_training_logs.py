import json
import math
from pathlib import Path

import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.training_logs import can_read

FILES = Path(__file__).parents[1] / "files" / "training_logs"


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def test_a_csv_becomes_a_model_with_a_row_for_each_step():
    tables = load(FILES / "small.csv")
    models = tables.models.set_index("step")
    assert models["loss"].to_dict() == {
        0: 10.5,
        10: 4.0,
        20: pytest.approx(math.nan, nan_ok=True),
        30: 3.5,
    }
    assert models["n_tokens"].to_dict() == {0: 0, 10: 1000, 20: 2000, 30: 3000}
    assert set(models["model"]) == {"small"}
    assert "1 lines are of a step that was there, as after a restart" in said(tables)
    assert "1 losses that are no number above 0 left out" in said(tables)
    assert "the log names no model; 'small' is its file or folder" in said(tables)


def test_lines_with_objects_inside_and_a_second_loss():
    models = load(FILES / "deep.jsonl").models.set_index("step")
    assert models["loss"].to_dict() == {10: 5.5, 20: 5.0}
    assert models["loss_validation"].to_dict()[20] == 5.25
    assert models["n_tokens"].tolist() == [100, 200]
    assert set(models["loss_dataset"]) == {"train"}


def test_the_state_of_a_trainer_keeps_steps_and_not_the_mean_of_the_run():
    tables = load(FILES / "tiny")
    models = tables.models.set_index("step")
    assert models["loss"].to_dict() == {10: 6.5, 20: 6.0}
    assert models["loss_validation"].to_dict()[10] == 6.25
    assert models["flops"].to_dict()[20] == 5e15
    assert set(models["model"]) == {"tiny"}


def test_constants_say_what_the_log_does_not():
    constants = {"model": "tiny", "n_params": 1e6, "seed": 3, "metric": "acc", "note": "x"}
    tables = load(FILES / "small.csv", constants=constants)
    assert tables.models[
        ["model", "n_params", "seed", "note"]
    ].drop_duplicates().values.tolist() == [["tiny", 1e6, 3, "x"]]
    assert "metric" not in tables.models
    assert "names no model" not in said(tables)


def test_a_validation_loss_alone_is_the_loss(write):
    models = load(write("step\teval_loss\n5\t2.5\n", "x.tsv")).models
    assert models[["loss", "loss_dataset"]].values.tolist() == [[2.5, "validation"]]


def test_tables_of_scores_and_of_models_are_no_logs(write):
    for text in ("model,step,loss\na,1,2\n", "run,step,loss\na,1,2\n", "step,loss_rate\n1,2\n"):
        assert can_read(write(text)) == 0.0, text
    assert can_read(write('[{"step": 1, "loss": 2}]', "a.json")) == 0.8


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("step,loss\n1.5,2\n", "a.csv", r"line 2: 'step' must be a whole number .* holds 1\.5"),
        ("step,loss\n1,2\n2,low\n", "a.csv", "line 3: 'loss' must be a number, but holds 'low'"),
        ("step,loss\n1,nan\n2,-1\n", "a.csv", "no line has a step and a loss above 0"),
        ('{"step": 1, "loss": 2}\n{"step": 2, "los', "a.jsonl", "line 2: column .* cut off"),
        ('{"step": 1, "loss": [2]}', "a.jsonl", "line 1: 'loss' must be a number"),
        ('{"log_history": [3]}', "trainer_state.json", "'log_history.0' must be an object"),
        ('{"log_history": []}', "trainer_state.json", "no line has a step and a loss"),
    ],
)
def test_damage_is_named(text, name, message, write):
    with pytest.raises(LoadError, match=message):
        load(write(text, name))


def test_checkpoints_of_one_run_agree(write):
    history = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.5}]
    write(json.dumps({"log_history": history[:1]}), "run/checkpoint-1/trainer_state.json")
    path = write(json.dumps({"log_history": history}), "run/checkpoint-2/trainer_state.json")
    models = load(path.parents[1]).models
    assert models[["model", "step", "loss"]].values.tolist() == [["run", 1, 3.0], ["run", 2, 2.5]]
