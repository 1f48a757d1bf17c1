import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.tabular.shares import is_named_metric, is_of_either_scale, is_share

HEADER = "model,task,metric,score"
# lm-evaluation-harness writes accuracies from 0 to 1 and BLEU from 0 to 100 into one table.
MIXED = f"{HEADER}\na,t,acc,0.25\nb,t,acc,1\na,t,bleu,0.4\nb,t,bleu,65\n"


@pytest.mark.parametrize("name", ["bleu", "sacrebleu", "bleu,none", "bleu_4", "bleu_max,none"])
def test_bleu_is_of_either_scale(name):
    assert is_of_either_scale(name)
    assert is_named_metric(name)


@pytest.mark.parametrize("name", ["bleu_acc", "bleu_diff", "acc", "bleurt"])
def test_other_metrics_are_of_one_scale(name):
    assert not is_of_either_scale(name)


def test_sacrebleu_is_no_share_by_its_name():
    assert not is_share("sacrebleu")


def test_each_metric_is_looked_at_by_itself(write):
    tables = load(write(MIXED))
    assert tables.results["score"].tolist() == [0.25, 1, 0.004, 0.65]
    assert tables.notes[["severity", "message"]].to_numpy().tolist() == [
        [
            "warning",
            "'bleu' was in percent; divided by 100, scores of 1 or less among them (1 of 2)",
        ]
    ]


@pytest.mark.parametrize("percent", ["bleu", ["bleu"], ("bleu",), {"bleu"}])
def test_metrics_in_percent_can_be_named(write, percent):
    tables = load(write(MIXED), percent=percent)
    assert tables.results["score"].tolist() == [0.25, 1, 0.004, 0.65]
    assert tables.notes["severity"].tolist() == ["info"]


def test_percent_for_all_is_refused_where_some_metrics_are_fractions(write):
    message = (
        r"'acc' \(at most 1\) look like fractions beside 'bleu' \(up to 65\); "
        r"percent=\['bleu'\] \(or --percent-of bleu\) names those"
    )
    with pytest.raises(LoadError, match=message):
        load(write(MIXED), percent=True)


def test_percent_for_all_is_believed_of_a_hard_task(write):
    tables = load(write(f"{HEADER}\na,t,acc,0.25\nb,t,acc,0.5\na,t,em,0\n"), percent=True)
    assert tables.results["score"].tolist() == [0.0025, 0.005, 0]
    said = "'acc' was in percent; divided by 100, though no score is above 1"
    assert ["warning", said] in tables.notes[["severity", "message"]].to_numpy().tolist()


def test_a_header_that_says_percent_speaks_for_all_metrics(write):
    path = write("model,task,metric,score (%)\na,t,acc,45\na,t,em,0.5\n")
    for percent in (None, True):
        tables = load(path, percent=percent)
        assert tables.results["score"].tolist() == [0.45, 0.005]
        assert set(tables.notes["severity"]) == {"info"}


def test_fractions_for_all_names_what_is_in_percent(write):
    with pytest.raises(
        LoadError, match=r"line 5 holds 65.0; percent=\['bleu'\] .* says that it is in percent"
    ):
        load(write(MIXED), percent=False)


def test_bleu_without_a_score_above_one_is_a_fraction_and_says_so(write):
    path = write(f"{HEADER}\na,t,bleu,0.4\nb,t,bleu,0.1\n")
    tables = load(path)
    assert tables.results["score"].tolist() == [0.4, 0.1]
    assert "'bleu' has no score above 1" in tables.notes["message"].iloc[0]
    assert load(path, percent="bleu").results["score"].tolist() == [0.004, 0.001]
    stated = write(f"{HEADER},low,high\na,t,bleu,0.4,0,1\n")
    assert load(stated).notes.empty


def test_metrics_that_we_do_not_know_can_be_named(write):
    path = write(f"{HEADER}\na,t,grade_level,5\na,t,gain,130\na,t,acc,0.5\n")
    tables = load(path, percent=["grade_level", "gain"])
    assert tables.results["score"].tolist() == [0.05, 1.3, 0.5]


def test_names_go_without_the_filter(write):
    text = f'{HEADER}\na,t,"acc,none",5\na,t,"em,strict",7\n'
    assert load(write(text), percent=["acc", "em"]).results["score"].tolist() == [0.05, 0.07]


@pytest.mark.parametrize(
    ("percent", "message"),
    [
        ("blue", "percent= names no metric here: Unknown metric 'blue'; did you mean 'bleu'"),
        (["acc", "params"], "Unknown metric 'params'. Known: acc, bleu"),
        (1, "percent=1 is not True, False, or names of metrics"),
        ([], r"percent=\[\] is not"),
        ({"bleu": True}, "is not True, False"),
        ([1], "is not True, False"),
    ],
)
def test_names_that_are_no_metric_are_refused(write, percent, message):
    with pytest.raises(LoadError, match=message):
        load(write(MIXED), percent=percent)


def test_what_is_no_share_cannot_be_named(write):
    path = write(f"{HEADER}\na,t,bits_per_byte,4\n")
    with pytest.raises(LoadError, match="'bits_per_byte', which is no share"):
        load(path, percent=["bits_per_byte"])


def test_names_hold_for_the_files_of_a_folder_that_have_them(write):
    folder = write(MIXED, "f/one.csv").parent
    write(f"{HEADER}\nc,t,acc,0.5\n", "f/two.csv")
    scores = load(folder, percent="bleu").results["score"].tolist()
    assert scores == [0.25, 1, 0.004, 0.65, 0.5]
    with pytest.raises(LoadError, match="Unknown metric 'blue'"):
        load(folder, percent="blue")


def test_scores_of_published_emergent_tasks_are_fractions(reference_files):
    # Ruan et al. 2024: accuracies and exact match from 0 to 1, BLEU from 0 to 100, in one file.
    path = reference_files / "prediction" / "obsscaling_emergent_long.csv"
    results = load(path, columns={"shots": "n_shots"}).results
    tops = results.groupby("metric")["score"].max()
    assert tops["bleu"] == pytest.approx(0.65158, abs=1e-5)
    assert tops["acc"] == 1
    assert tops["exact_match"] == pytest.approx(0.803)
