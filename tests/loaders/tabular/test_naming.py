import shlex

import pytest

from emergekit import load
from emergekit.errors import LoadError

LAB = "Model Name,Params (M),Benchmark,Accuracy (%),Eval Items\nlab-70M,70,t,1.2,10\n"
NAMES = {"Model Name": "model", "Benchmark": "task", "Accuracy (%)": "score"}


def test_absent_columns_are_paired_by_what_people_call_them(write):
    with pytest.raises(LoadError, match="columns 'model', 'task', 'metric', 'score' are") as caught:
        load(write(LAB))
    said = str(caught.value)
    flags = shlex.split(said[said.index("(or ") + 4 : said.index(") renames")])
    assert flags[1::2] == [
        "Model Name=model",
        "Benchmark=task",
        "Accuracy (%)=score",
        "Params (M)=n_params",
        "Eval Items=n_examples",
    ]
    assert "(or --constant metric=...) adds what is meant" in said


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("Dataset", "task"),
        ("EM", "score"),
        ("F1", "score"),
        ("Value", "score"),
        ("name", "model"),
    ],
)
def test_each_word_goes_with_its_column(write, header, ours):
    columns = {"model": "a", "task": "t", "metric": "x", "score": 0.1}
    names = [header if name == ours else name for name in columns]
    path = write(f"{','.join(names)},tag\na,t,x,.1,z\n".replace("a,t,x,.1", "a,t,x,.1"))
    with pytest.raises(LoadError, match=rf"column '{ours}' is absent.*'{header}': '{ours}'"):
        load(path)


def test_columns_that_could_be_used_are_noted(write):
    text = "model,task,metric,score,params,tokens,shots,n\na,t,acc,.1,5,6,0,9\n"
    notes = load(write(text)).notes
    assert notes["field"].tolist() == ["params", "tokens", "shots", "n"]
    assert "looks like n_examples, and is not used as such" in notes["message"].iloc[-1]


def test_units_in_headers_are_multiplied_in(write):
    tables = load(
        write(LAB), columns=NAMES | {"Params (M)": "n_params"}, constants={"metric": "em"}
    )
    assert tables.models["n_params"].tolist() == [70e6]
    assert "multiplied by 1e+06, the unit in its header" in tables.notes["message"].tolist()
    assert tables.results["score"].tolist() == [pytest.approx(0.012)]  # "(%)" says percent


@pytest.mark.parametrize(
    ("header", "value", "size"),
    [
        ("n_params (B)", "1.5", 1.5e9),
        ("N_params (in millions)", "70", 7e7),
        ("n_params", "70M", 7e7),
        ("n_params", "1.5 B", 1.5e9),
        ("n_params", "1,000,000", 1e6),
        ("n_params", "2e9", 2e9),
    ],
)
def test_sizes_are_read_as_they_are_written(write, header, value, size):
    tables = load(write(f'model,loss,"{header}"\na,2.5,"{value}"\n'))
    assert tables.models["n_params"].tolist() == [size]
    assert tables.notes.empty == (value == "2e9")


def test_a_unit_suffix_goes_before_the_unit_of_the_header(write):
    tables = load(
        write("model,loss,params_b\na,2,1.5\nb,2,70M\n"), columns={"params_b": "n_params"}
    )
    assert tables.models["n_params"].tolist() == [1.5e9, 7e7]


@pytest.mark.parametrize(("size", "unit"), [("70", "millions"), ("0.07", "billions")])
def test_sizes_that_contradict_the_names_are_refused(write, size, unit):
    path = write(f"model,task,metric,score,n_params\nlab-70M,t,acc,.1,{size}\n")
    message = rf"'lab-70M' has n_params {size} in line 2, but its name says 70000000: .*in {unit}"
    with pytest.raises(LoadError, match=message):
        load(path)


def test_a_size_near_the_one_in_the_name_stands(write):
    tables = load(write("model,loss,n_params\nllama-7b,2,6738415616\n"))
    assert tables.models["n_params"].tolist() == [6738415616]
    assert tables.notes.empty


def test_two_sizes_of_a_model_name_what_tells_them_apart(write):
    text = "model,task,metric,score,n_params,n_tokens\na,t,acc,.1,1e6,1e9\na,u,acc,.2,1e6,2e9\n"
    message = r"'a' has n_tokens 1000000000 in line 2 and 2000000000 in line 3; .*'run' or 'step'"
    with pytest.raises(LoadError, match=message):
        load(write(text))


def test_gaps_in_what_is_said_of_a_model_are_filled(write):
    text = "model,task,metric,score,n_params,family\na,t,acc,.1,,f\na,u,acc,.2,1e6,\n"
    models = load(write(text)).models
    assert models.to_dict("records") == [{"model": "a", "family": "f", "n_params": 1e6}]


def test_runs_without_names_get_some(write):
    tables = load(write("n_params,n_tokens,loss\n1e6,1e9,3\n1e7,1e9,2.5\n"))
    assert tables.models["model"].tolist() == ["run-001", "run-002"]
    assert "they are named run-001 and on" in tables.notes["message"].iloc[0]
    named = load(write("run,step,flops,loss\n7,1,1e18,3\n7,2,2e18,2.9\n"))
    assert named.models["model"].tolist() == ["7", "7"]


def test_options_are_checked(write):
    path = write("model,task,metric,score\na,t,acc,.1\n")
    with pytest.raises(LoadError, match="Unknown option 'delimeter' of load; did you mean 'delimi"):
        load(path, delimeter=";")
    with pytest.raises(LoadError, match="did you mean 'delimiter'"):
        load(path, sep=";")
    with pytest.raises(LoadError, match=r"did you mean constants=\{'metric': 'acc'\}"):
        load(path, metric="acc")
    with pytest.raises(LoadError, match="columns= is a mapping of names, not list"):
        load(path, columns=["a"])
    with pytest.raises(LoadError, match="constants= gives 'metric' list"):
        load(path, constants={"metric": ["a"]})
    with pytest.raises(LoadError, match="decimal=';' is no decimal mark"):
        load(path, decimal=";")


def test_constants_fill_what_is_absent_and_nothing_else(write):
    path = write("model,task,metric,score\na,t,acc,.1\n")
    tables = load(path, constants={"score": 5, "n_shots": 3})
    assert tables.results[["score", "n_shots"]].iloc[0].tolist() == [0.1, 3]
    assert "the file has 'score'; the constant was not used" in tables.notes["message"].tolist()
