import json

import pandas as pd
import pytest

from emergekit import load, metrics
from emergekit.errors import LoadError

WORDS = ["none", "-", "NA", "12", "007", "1e3", "True"]


def as_file(write, rows, kind):
    table = pd.DataFrame(rows)
    if kind == "csv":
        return write(table.to_csv(index=False), "s.csv")
    if kind == "json":
        return write(json.dumps(rows), "s.json")
    path = write("", "s.parquet")
    table.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_answers_stay_text(write, kind):
    rows = [
        {"model": "a", "task": "t", "example_id": f"00{place}", "prediction": word, "target": word}
        for place, word in enumerate(WORDS)
    ]
    samples = load(as_file(write, rows, kind)).samples
    for name in ("prediction", "target", "example_id"):
        assert samples[name].tolist() == [row[name] for row in rows], name
    assert metrics.get("exact_match").score(samples).tolist() == [1.0] * len(WORDS)


def test_numbers_of_json_become_the_text_they_are(write):
    rows = [{"model": "a", "task": "t", "example_id": 1, "prediction": 12, "target": [12, "x"]}]
    samples = load(as_file(write, rows, "json")).samples
    assert samples[["example_id", "prediction"]].iloc[0].tolist() == ["1", "12"]
    assert samples["target"].iloc[0] == ["12", "x"]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_names_of_runs_and_filters_stay_text(write, kind):
    row = {"model": "a", "task": "t", "example_id": "1", "run": "001", "filter": "none"}
    samples = load(as_file(write, [row | {"note": "5"}], kind)).samples
    assert samples[["run", "filter"]].iloc[0].tolist() == ["001", "none"]
    if kind != "csv":
        assert samples["note"].tolist() == ["5"]


def test_an_empty_answer_is_an_answer(write):
    text = "model,task,example_id,prediction,target\na,t,1,,x\na,t,2,x,x\n"
    samples = load(write(text)).samples
    assert metrics.get("exact_match").score(samples).tolist() == [0.0, 1.0]
    none = load(write("model,task,example_id,prediction\na,t,1,\n")).samples
    assert none["prediction"].isna().all()


def test_lists_in_csv_are_json(write):
    header = "model,task,example_id,gold,choice_logprobs\n"
    text = header + 'a,t,1,0,"[-1.5, -2]"\na,t,2,"[0, 1]","[-1, -2]"\n'
    samples = load(write(text)).samples
    assert samples["choice_logprobs"].tolist() == [[-1.5, -2], [-1, -2]]
    assert samples["gold"].tolist() == [0, [0, 1]]
    with pytest.raises(LoadError, match=r"'gold' must be lists in JSON.*line 2 holds"):
        load(write('model,task,example_id,gold\na,t,1,"[0, x"\n'))


def test_sizes_beside_answers_make_the_models_table(write):
    tables = load(write("model,task,example_id,n_params\na,t,1,1e6\na,t,2,1e6\n"))
    assert tables.models.to_dict("records") == [{"model": "a", "n_params": 1e6}]
    assert "n_params" not in tables.samples
