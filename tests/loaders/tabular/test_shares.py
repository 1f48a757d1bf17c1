import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.tabular.shares import is_share

HEADER = "model,task,metric,score"


@pytest.mark.parametrize(
    "name",
    [
        "exact_match",
        "acc_norm",
        "Accuracy",
        "bleu",
        "rougeL",
        "rouge1",
        "pass@10",
        "pass@1",
        "f1",
        "em",
        "squad",
        "acc,none",
        "exact_match(ignore_case=True)",
    ],
)
def test_shares_are_known_by_registry_or_name(name):
    assert is_share(name)


@pytest.mark.parametrize(
    "name", ["token_edit_distance", "perplexity", "grade_level", "match_time", "accuracy_rank"]
)
def test_other_metrics_are_no_shares(name):
    assert not is_share(name)


def test_each_column_is_judged_by_its_own_range(write):
    text = f"{HEADER},stderr,chance,lower,upper,low,high\na,t,acc,45,2,0.25,0.4,47,0,100\n"
    row = load(write(text)).results.iloc[0]
    assert row[["score", "stderr", "chance"]].tolist() == [0.45, 0.02, 0.25]
    assert row[["lower", "upper", "low", "high"]].tolist() == [0.004, 0.47, 0, 1]


def test_a_standard_error_in_fractions_stays(write):
    results = load(write(f"{HEADER},stderr\na,t,acc,45,0.02\nb,t,acc,55,0.03\n")).results
    assert results["stderr"].tolist() == [0.02, 0.03]


def test_a_percent_sign_speaks_for_its_row(write):
    tables = load(write(f"{HEADER},stderr,high\na,t,acc,45%,2,100\nb,t,acc,0.5%,3%,100\n"))
    assert tables.results["score"].tolist() == [0.45, 0.005]
    assert tables.results["stderr"].tolist() == [0.02, 0.03]
    assert tables.results["high"].tolist() == [1, 1]
    assert "'acc' was in percent; divided by 100" in tables.notes["message"].tolist()


def test_what_looks_like_percent_and_is_not_known_is_left_with_a_warning(write):
    path = write(f"{HEADER}\na,t,grade_level,5\nb,t,grade_level,11\na,t,elo,1200\n")
    tables = load(path)
    assert tables.results["score"].tolist() == [5, 11, 1200]
    warnings = tables.notes[tables.notes["severity"] == "warning"]["message"].tolist()
    assert warnings == [
        "'grade_level' lies between 0 and 100; left as is; use percent=True (or --percent) if it "
        "is in percent"
    ]
    assert load(path, percent=True).results["score"].tolist() == [0.05, 0.11, 1200]


def test_metrics_of_the_registry_that_are_no_shares_get_no_warning(write):
    path = write(f"{HEADER}\na,t,bits_per_byte,4\nb,t,bits_per_byte,2\n")
    assert load(path).notes.empty
    assert load(path, percent=True).results["score"].tolist() == [4, 2]


def test_bleu_and_rouge_are_shares(write):
    text = f"{HEADER}\na,t,bleu,25.5\na,t,rougeLsum,31\na,t,pass@10,50\n"
    assert load(write(text)).results["score"].tolist() == [0.255, 0.31, 0.5]


def test_mixed_percentages_name_two_rows(write):
    with pytest.raises(
        LoadError, match="mixes percentages and fractions: line 3 holds 64 and line"
    ):
        load(write(f"{HEADER}\na,t,em,0.4\nb,t,em,64\n"))
