"""Samples against the scores beside them."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import emergekit as ek
from emergekit.errors import TableError

FOLDER = "lm_eval/acme__tiny-10m"


def tables_of(scores, said, n_examples=None, metric="exact_match", **more):
    rows = [
        {"model": "m", "task": "t", "example_id": str(n), "prediction": str(s), "target": "1"}
        for n, s in enumerate(scores)
    ]
    result = {"model": "m", "task": "t", "metric": metric, "score": said, "source": "r.json"}
    samples = pd.DataFrame(rows).assign(**more)
    results = pd.DataFrame([result | {"n_examples": n_examples or len(rows)}])
    return ek.Tables(samples=samples, results=results)


def test_what_the_harness_wrote_agrees_with_itself(files):
    notes = ek.reconcile(ek.load(files / FOLDER))
    assert len(notes) == 8
    assert set(notes["severity"]) == {"info"}
    assert set(notes["compared"]) == {"re-scored"}
    assert (notes["score"] - notes["rescored"]).abs().max() < 1e-12
    by_filter = notes.query("metric == 'exact_match'").set_index("filter")["rescored"]
    assert by_filter.to_dict() == {"strict-match": 0.5, "flexible-extract": 1.0}


def test_options_of_a_metric_are_those_of_the_harness(files):
    tables = ek.load(files / FOLDER)
    plain = replace(tables, results=tables.results.drop(columns="metric_options"))
    rows = ek.reconcile(plain).query("metric == 'exact_match'")
    assert rows["rescored"].tolist() == [0.0, 0.5]  # "Seven" is "seven" where case is ignored


def test_answers_that_the_harness_compares_in_its_own_way_are_a_warning():
    notes = ek.reconcile(tables_of([0] * 4, 0.75, reported_exact_match=[1.0, 1.0, 1.0, 0.0]))
    assert notes["severity"].tolist() == ["warning"]
    assert "which is the mean of the harness's own scores of them" in notes["message"].iloc[0]


def test_scores_that_differ_by_more_than_a_sample_are_an_error():
    tables = tables_of([1, 0, 1, 0], 0.8)
    with pytest.raises(TableError, match=r"r\.json: m: 't' exact_match: 4 samples give 0\.5, but"):
        ek.reconcile(tables)
    assert ek.reconcile(tables, allow=True)["severity"].tolist() == ["error"]
    assert ek.reconcile(tables, allow=["t"])["severity"].tolist() == ["error"]
    with pytest.raises(TableError, match="allow=True to see every difference"):
        ek.reconcile(tables, allow=["u"])


def test_one_sample_is_let_pass():
    notes = ek.reconcile(tables_of([1, 0, 1, 0], 0.75))
    assert notes["severity"].tolist() == ["info"]
    assert "within one sample of the 0.75" in notes["message"].iloc[0]


def test_part_of_the_samples_must_be_able_to_make_the_score():
    possible = ek.reconcile(tables_of([1, 0], 0.5, n_examples=100))
    assert possible["severity"].tolist() == ["warning"]
    assert "only 2 of 100 samples are here" in possible["message"].iloc[0]
    with pytest.raises(TableError, match="the other 2 cannot make it the 0"):
        ek.reconcile(tables_of([1, 1, 1, 1], 0.0, n_examples=6))
    with pytest.raises(TableError, match="4 samples stand beside a score of 3 examples"):
        ek.reconcile(tables_of([1, 0, 1, 0], 0.5, n_examples=3))


def test_a_metric_that_is_not_ours_is_averaged_from_the_samples_own_scores():
    good = tables_of([1, 0], 0.5, metric="math_verify", reported_math_verify=[1.0, 0.0])
    notes = ek.reconcile(good)
    assert notes[["severity", "compared"]].to_numpy().tolist() == [["info", "averaged"]]
    unknown = ek.reconcile(tables_of([1, 0], 0.5, metric="elo"))
    assert unknown["severity"].tolist() == ["warning"]
    assert "cannot be made of what the samples hold" in unknown["message"].iloc[0]


def test_tables_that_do_not_belong_together_say_so(files):
    tables = ek.load(files / FOLDER)
    with pytest.raises(TableError, match="no score has samples"):
        ek.reconcile(replace(tables, samples=tables.samples.assign(model="other")))
    with pytest.raises(TableError, match="there are no samples to reconcile"):
        ek.reconcile(replace(tables, samples=tables.samples[:0]))


def test_a_changed_answer_is_found(files, tmp_path):
    shutil.copytree(files / FOLDER, tmp_path / "m")
    file = next((tmp_path / "m").glob("samples_choose*"))
    file.write_text(file.read_text().replace('"-6.0"', '"-1.0"').replace('"-2.0"', '"-0.5"'))
    with pytest.raises(TableError, match=r"'choose' acc: 2 samples give 1, but the file says 0"):
        ek.reconcile(ek.load(tmp_path))


def test_real_runs_agree_with_their_samples(formats):
    tables = ek.load(formats / "lm_eval_v0413_generated")
    notes = ek.reconcile(tables)
    assert len(notes) == 4 * 7
    assert set(notes["severity"]) == {"info"}
    assert (notes["score"] - notes["rescored"]).abs().max() < 1e-12
    part = ek.reconcile(ek.load(formats / "lm_eval_v04"))
    assert part["message"].tolist() == [
        "'math_perturbed_full' exact_match: only 10 of 5,000 samples are here; they give 0, and "
        "the file says 0"
    ]


def test_olmes_agrees_with_its_metrics(files):
    notes = ek.reconcile(ek.load(files / "olmes"))
    assert set(notes["severity"]) == {"info"}
    said = notes.set_index("metric")["compared"].to_dict()
    assert said == {
        "acc": "re-scored",
        "acc_norm": "re-scored",
        "acc_mutual_info": "re-scored",
        "acc_per_token": "averaged",
    }


@given(st.lists(st.integers(0, 1), min_size=1, max_size=20), st.integers(0, 20))
def test_any_score_is_told_by_how_many_samples_it_is_off(scores, right):
    right = min(right, len(scores))
    notes = ek.reconcile(tables_of(scores, right / len(scores)), allow=True)
    off = abs(sum(scores) - right)
    assert (notes["severity"].iloc[0] == "error") == (off > 1)


@pytest.mark.parametrize("column", ["reported_score", "score"])
def test_the_one_score_of_a_sample_is_that_of_the_only_mean(column):
    tables = tables_of([0] * 4, 0.75, metric="accuracy", **{column: [1.0, 1.0, 1.0, 0.0]})
    notes = ek.reconcile(tables)
    assert notes[["severity", "compared"]].to_numpy().tolist() == [["info", "averaged"]]
    wrong = replace(tables, results=tables.results.assign(score=0.25))
    with pytest.raises(TableError, match=r"4 samples give 0\.75, but the file says 0\.25"):
        ek.reconcile(wrong)
    other = tables.results.assign(metric="mean", score=0.1)
    both = replace(tables, results=pd.concat([tables.results, other], ignore_index=True))
    assert ek.reconcile(both)["compared"].isna().all()  # whose it is cannot be told


def test_a_score_of_a_scorer_by_name_is_averaged():
    notes = ek.reconcile(tables_of([0] * 2, 0.5, metric="style/mean", reported_style=[0.0, 1.0]))
    assert notes["compared"].tolist() == ["averaged"]


def test_epochs_of_an_example_are_averaged_before_examples_are():
    tables = tables_of([0] * 4, 0.5, n_examples=2, metric="mean", reported_score=[1.0, 1, 1, 0])
    ids = ["1", "1", "1", "2"]
    samples = tables.samples.assign(example_id=ids, repeat=[0, 1, 2, 0])
    assert ek.reconcile(replace(tables, samples=samples))["severity"].tolist() == ["info"]


@pytest.mark.parametrize("name", ["inspect", "every_eval_ever"])
def test_real_logs_with_one_score_a_sample_are_compared(formats, name):
    notes = ek.reconcile(ek.load(formats / name))
    assert set(notes["compared"]) == {"averaged"}
    assert not notes["severity"].eq("error").any()
