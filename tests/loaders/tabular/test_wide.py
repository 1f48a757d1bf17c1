import pandas as pd
import pytest

from emergekit import load
from emergekit.errors import LoadError

ACC = {"metric": "acc"}


def messages(tables):
    return " | ".join(tables.notes["message"])


def test_columns_of_models_are_listed_and_other_numbers_are_not_taken(write):
    text = ",id,task,n_items,examples,alpha,beta\n0,7,t,5,9,.1,.2\n1,8,u,6,9,.3,.4\n"
    tables = load(write(text), constants=ACC)
    assert set(tables.results["model"]) == {"alpha", "beta"}
    assert "columns read as models: alpha, beta" in messages(tables)
    assert "columns of numbers not read as models: id, n_items, examples" in messages(tables)
    assert "row numbers under a blank header were dropped" in messages(tables)
    assert tables.results["id"].tolist() == [7, 8, 7, 8]  # what is not read travels through


def test_one_column_per_task_is_read_when_the_metric_is_known(write):
    text = "Model,Params,n_params,gsm8k,mmlu,Average\na,1,1e6,.1,.2,.15\nb,2,1e7,.3,.4,.35\n"
    path = write(text)
    tables = load(path, constants=ACC)
    assert set(tables.results["task"]) == {"gsm8k", "mmlu"}
    assert tables.models["n_params"].tolist() == [1e6, 1e7]
    assert "columns read as tasks: gsm8k, mmlu" in messages(tables)
    assert "columns of numbers not read as tasks: Params, Average" in messages(tables)
    without = load(path)
    assert without.results.empty
    assert "gsm8k, mmlu were kept as properties of the models" in messages(without)
    assert "constants={'metric': '...'}" in messages(without)


def test_one_column_per_task_asks_for_the_metric(write):
    path = write("Model,Params,gsm8k,mmlu\na,1,.1,.2\n")
    with pytest.raises(
        LoadError, match=r"--constant metric=...\) reads gsm8k, mmlu as tasks; .*Par"
    ):
        load(path)


def test_runs_with_a_loss_are_models_whatever_the_constants(write):
    tables = load(write("model,n_params,loss,width\na,1e6,3.1,64\n"), constants=ACC)
    assert tables.results.empty
    assert tables.models["width"].tolist() == [64]


def test_one_column_per_metric_needs_known_names(write):
    text = "model,task,acc,acc_stderr,f1,perplexity2,note\na,t,.1,.01,.2,9,x\nb,t,.3,.02,.4,8,y\n"
    tables = load(write(text))
    results = tables.results.set_index(["metric", "model"])
    assert results["score"].to_dict() == {
        ("acc", "a"): 0.1,
        ("acc", "b"): 0.3,
        ("f1", "a"): 0.2,
        ("f1", "b"): 0.4,
    }
    assert results.loc["acc", "stderr"].tolist() == [0.01, 0.02]
    assert results.loc["f1", "stderr"].isna().all()
    assert "columns of numbers not read as metrics: perplexity2" in messages(tables)
    with pytest.raises(LoadError, match="columns 'metric', 'score' are absent"):
        load(write("model,task,speed,heat\na,t,1,2\n"))


@pytest.mark.parametrize("header", ["task,metric,accuracy", "task,metric,score_x,model_name"])
def test_what_is_no_model_is_not_made_one(write, header):
    rows = "t,acc,.1,a\nu,acc,.2,b\n" if header.count(",") == 3 else "t,1,.1\nu,2,.2\n"
    with pytest.raises(LoadError, match=r"'model'.* absent|'model'"):
        load(write(f"{header}\n{rows}"), constants={"metric": "acc"})


def test_lists_in_a_wide_file_stay_beside_the_scores(tmp_path):
    table = pd.DataFrame({"task": ["t"], "alpha": [0.1], "tokens_seen": [[1, 2]]})
    table.to_parquet(tmp_path / "p.parquet")
    results = load(tmp_path / "p.parquet", constants=ACC).results
    assert results["model"].tolist() == ["alpha"]
    assert list(results["tokens_seen"].iloc[0]) == [1, 2]


def test_text_in_a_column_of_numbers_is_named(write):
    with pytest.raises(LoadError, match="'score' must be a number, but line 2 holds 'oops'"):
        load(write("task,alpha,beta\nt,oops,.1\nu,.3,.4\n"), constants=ACC)


def test_a_table_about_tasks_is_nothing_to_score(write):
    tables = load(write("task,class\nt,flat\nu,steep\n"))
    assert tables.results.empty
    assert "2 tasks without scores or models" in messages(tables)
    assert tables.notes["severity"].tolist() == ["warning"]
