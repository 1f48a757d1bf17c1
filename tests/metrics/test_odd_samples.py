"""Samples as files really hold them: parted, partly empty, of other types."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from emergekit.errors import LoadError, TableError
from emergekit.metrics import get, rescore, score_samples

RIGHT = pd.DataFrame(
    {"model": ["a", "a", "b", "b"], "prediction": ["1", "1", "2", "3"], "target": "1"}
)


def test_folders_that_state_a_column_part_the_samples(tmp_path):
    ds.write_dataset(
        pa.Table.from_pandas(RIGHT.assign(task="t")),
        tmp_path / "d",
        format="parquet",
        partitioning=["model"],
        partitioning_flavor="hive",
    )
    for source in (tmp_path / "d", ds.dataset(tmp_path / "d", partitioning="hive")):
        results = rescore(source, "exact_match").set_index("model")["score"]
        assert results.to_dict() == {"a": 1.0, "b": 0.0}


def test_files_with_other_columns_do_not_mix_shots(tmp_path):
    pq.write_table(pa.Table.from_pandas(RIGHT.assign(n_shots=[0, 5, 0, 5])), tmp_path / "0.parquet")
    pq.write_table(pa.Table.from_pandas(RIGHT), tmp_path / "1.parquet")
    assert len(rescore(tmp_path, "exact_match")) == 6
    pq.write_table(pa.Table.from_pandas(RIGHT.drop(columns="target")), tmp_path / "2.parquet")
    with pytest.raises(LoadError, match=r"2\.parquet: column 'target' is absent"):
        rescore(tmp_path, "exact_match")


def test_tables_of_another_kind_in_a_folder_are_passed_over_with_a_note(tmp_path):
    written = {
        "models": pd.DataFrame({"model": ["a"], "n_params": [1e6]}),
        "results": rescore(RIGHT, "exact_match").assign(task="t", n_target_tokens=3),
        "samples": RIGHT,
    }
    for name, table in written.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "more.jsonl").write_text("{}")
    (tmp_path / "README.md").write_text("prose")
    results = rescore(tmp_path, ["exact_match"])
    assert dict(zip(results["model"], results["score"], strict=True)) == {"a": 1.0, "b": 0.0}
    said = {Path(n["file"]).name: (n["severity"], n["message"]) for n in results.attrs["notes"]}
    assert sorted(said) == ["broken.parquet", "models.parquet", "more.jsonl", "results.parquet"]
    assert said["broken.parquet"][0] == "error"
    assert said["more.jsonl"][0] == "warning"
    assert said["models.parquet"] == (
        "info",
        "holds no samples, with example_id, prediction or target; passed over",
    )
    (tmp_path / "samples.parquet").unlink()
    with pytest.raises(LoadError, match=r"broken\.parquet: not a readable parquet file"):
        rescore(tmp_path, "exact_match")
    (tmp_path / "broken.parquet").unlink()
    with pytest.raises(LoadError, match="no parquet file here holds samples, with example_id, "):
        rescore(tmp_path, "exact_match")


def test_a_column_of_a_users_own_metric_makes_a_file_of_samples(tmp_path):
    own = replace(get("exact_match"), name="own", requires=("prediction", "checked"))
    RIGHT.rename(columns={"target": "checked"}).drop(columns="prediction").to_parquet(
        tmp_path / "x.parquet"
    )
    with pytest.raises(TableError, match="own: needs column 'prediction'"):
        rescore(tmp_path, own)


@pytest.mark.parametrize("path", ["model=*/*.parquet", "model=a/*.parquet", "model=a", "**"])
def test_patterns_are_read_as_folders_are(tmp_path, path):
    for name, part in RIGHT.groupby("model"):
        folder = tmp_path / f"model={name}"
        folder.mkdir()
        part.drop(columns="model").to_parquet(folder / "0.parquet")
    results = rescore(tmp_path / path, "exact_match").set_index("model")["score"].to_dict()
    assert results == ({"a": 1.0} if "model=a" in path else {"a": 1.0, "b": 0.0})
    with pytest.raises(LoadError, match="no parquet file matches this pattern"):
        rescore(tmp_path / "c*" / "*.parquet", "exact_match")


def test_what_a_folder_states_may_stand_in_the_file_as_well(tmp_path):
    (tmp_path / "model=elsewhere" / "n_shots=5").mkdir(parents=True)
    RIGHT.to_parquet(tmp_path / "model=elsewhere" / "n_shots=5" / "0.parquet")
    results = rescore(tmp_path, "exact_match")
    assert results["model"].tolist() == ["a", "b"]  # the file says it of each row
    assert results["n_shots"].tolist() == [5, 5]


def test_files_may_hold_a_column_in_two_types(tmp_path):
    for place, part in enumerate((RIGHT.assign(run=1), RIGHT.assign(run="x"))):
        part.to_parquet(tmp_path / f"{place}.parquet")
    results = rescore(tmp_path, "exact_match")
    assert results["run"].astype(str).tolist() == ["1", "1", "x", "x"]


def test_folders_that_state_text_or_nothing_are_read(tmp_path):
    for part in ("n_shots=5", "n_shots=__HIVE_DEFAULT_PARTITION__", "n_shots=7"):
        (tmp_path / "a b=é %25" / part).mkdir(parents=True)
        RIGHT.to_parquet(tmp_path / "a b=é %25" / part / "0.parquet")
    results = rescore(tmp_path, "exact_match", by="a b")
    assert set(results["a b"]) == {"é %"}
    assert set(results["n_shots"].dropna()) == {5, 7}
    assert len(results) == 3


@pytest.mark.parametrize("path", ["", "x" * 5000, "~nobody-here/x.parquet", "a\0b"])
def test_paths_that_cannot_be_are_no_traceback(path):
    with pytest.raises(LoadError):
        rescore(path, "exact_match")


def test_a_column_is_no_table():
    with pytest.raises(TableError, match=r"not pandas\.Series; convert it with \.to_frame"):
        rescore(RIGHT["prediction"], "exact_match")


def test_batches_keep_their_columns():
    batches = [pa.Table.from_pandas(part) for part in (RIGHT.assign(n_shots=0), RIGHT)]
    with pytest.raises(TableError, match="batch 2 differs from the first in columns n_shots"):
        rescore(iter(batches), "exact_match")


def test_empty_row_groups_are_passed_over(tmp_path):
    table = pa.Table.from_pandas(RIGHT)
    with pq.ParquetWriter(tmp_path / "x.parquet", table.schema) as writer:
        for part in (table.slice(0, 0), table, table.slice(0, 0)):
            writer.write_table(part)
    assert rescore(tmp_path / "x.parquet", "exact_match", by="model")["n_examples"].tolist() == [
        2,
        2,
    ]
    pq.write_table(table.slice(0, 0), tmp_path / "y.parquet")
    with pytest.raises(TableError, match="has no rows"):
        rescore(tmp_path / "y.parquet", "exact_match")
    batches = [table.slice(0, 0).to_batches()[0] if False else table.slice(0, 0), table]
    assert len(rescore(iter(batches), "exact_match", by=[])) == 1


@pytest.mark.parametrize("kind", ["category", "dictionary", "large", "view"])
def test_text_of_any_arrow_kind_is_text(kind):
    frame = pd.DataFrame({"prediction": ["yes", "no"], "target": ["yes", "yes"]})
    if kind == "category":
        table = frame.astype("category")
    elif kind == "dictionary":
        table = pa.table({name: pa.array(frame[name]).dictionary_encode() for name in frame})
    else:
        text = pa.large_string() if kind == "large" else pa.string_view()
        table = pa.table({name: pa.array(frame[name].tolist(), text) for name in frame})
    assert rescore(table, "exact_match", by=[])["score"].tolist() == [0.5]


def test_lists_of_any_arrow_kind_are_lists():
    values = [[-1.0, -2.0], None, [-3.0, -1.0]]
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float64(), 2)):
        table = pa.table({"choice_logprobs": pa.array(values, kind), "gold": [0, 0, 1]})
        assert get("acc").score(table.slice(0)).tolist()[::2] == [1, 1]
        assert np.isnan(get("acc").score(table.slice(1, 1))).all()
        assert get("acc").score(table.slice(2, 1)).tolist() == [1]


def test_whole_numbers_are_log_probabilities_too():
    samples = pd.DataFrame({"choice_logprobs": [[-1, -2]], "gold": [0]})
    assert score_samples(samples, ["acc", "brier_sum", "p_correct"]).notna().all(axis=None)


@pytest.mark.parametrize("name", ["exact_match", "token_edit_distance", "rouge1", "squad_f1"])
@pytest.mark.parametrize("nothing", [[None, None], [np.nan, np.nan]])
def test_a_column_without_any_answer_is_missing_not_an_error(name, nothing):
    [row] = rescore(pd.DataFrame({"prediction": nothing, "target": "x"}), name).to_dict("records")
    assert np.isnan(row["score"])
    assert (row["n_examples"], row["n_missing"]) == (0, 2)


def test_pieces_that_hold_nothing_are_missing():
    n = 20_000
    samples = pd.DataFrame({"choice_logprobs": [None] * (n - 2) + [[-1.0, -2.0]] * 2, "gold": 0})
    [row] = rescore(samples, "acc").to_dict("records")
    assert (row["n_examples"], row["n_missing"], row["score"]) == (2, n - 2, 1.0)


def test_rows_with_scores_and_rows_with_gold_are_both_read():
    samples = pd.DataFrame(
        {
            "choice_logprobs": [[-1.0, -2.0]] * 3,
            "gold": [0, None, None],
            "choice_scores": [None, [1.0, 0.0], [1.0, None]],
        }
    )
    scores = get("acc").score(samples)
    assert scores[:2].tolist() == [1, 1]
    assert np.isnan(scores[2])
    text = pd.DataFrame(
        {
            "token_logprobs": [None, [-1.0, -2.0], []],
            "logprob": [-3.0, np.nan, np.nan],
            "n_bytes": 2,
        }
    )
    [row] = rescore(text, "bits_per_byte").to_dict("records")
    assert row["score"] == pytest.approx(6 / 4 / np.log(2))
    assert row["n_missing"] == 1


def test_missing_side_inputs_are_missing():
    samples = pd.DataFrame(
        {
            "choice_logprobs": [[-1.0, -2.0]] * 2,
            "gold": [0, 0],
            "choices": [["a", "b"], None],
            "choice_logprobs_unconditional": [None, [-1.0, -1.0]],
        }
    )
    for name, place in (("acc_norm", 1), ("acc_bytes", 1), ("acc_mutual_info", 0)):
        assert np.isnan(get(name).score(samples)).tolist() == [place == 0, place == 1], name
    assert rescore(samples, "macro_f1")["n_missing"].tolist() == [1]
    with pytest.raises(TableError, match="'choices' must hold lists of text"):
        get("acc_norm").score(samples.assign(choices="ab"))


def test_a_choice_of_no_length_has_no_rate():
    samples = pd.DataFrame(
        {"choice_logprobs": [[-1.0, -0.5]], "gold": [0], "choice_chars": [[1, 0]]}
    )
    assert np.isnan(get("acc_norm").score(samples)[0])


def test_a_good_target_counts_beside_an_empty_one():
    samples = pd.DataFrame({"prediction": ["a b"], "target": [["", "a b", None]]})
    assert get("token_edit_distance", normalise="target").score(samples)[0] == 0
    none = pd.DataFrame({"prediction": ["None"], "target": [[None]]})
    assert np.isnan(get("exact_match").score(none)[0])


def test_clusters_widen_ratios_and_rescaled_scores_too():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(50), 10)
    samples = pd.DataFrame(
        {
            "cluster": cluster,
            "logprob": -rng.gamma(2, 5, 50)[cluster],
            "n_bytes": 10,
            "choice_logprobs": [[0.0, value] for value in rng.normal(0, 1, 50)[cluster]],
            "gold": 0,
        }
    )
    wanted = [
        "bits_per_byte",
        "byte_perplexity",
        "chance_corrected_accuracy",
        get("subset_accuracy", of="acc", length=2),
    ]
    plain, wide = (rescore(samples, wanted, cluster=c)["stderr"] for c in (None, "cluster"))
    assert (wide / plain).to_numpy() == pytest.approx(np.sqrt(10), rel=0.05)
    assert rescore(samples, wanted, cluster="cluster")["score"].tolist() == pytest.approx(
        rescore(samples, wanted)["score"].tolist()
    )


def test_answers_to_one_example_belong_together():
    rng = np.random.default_rng(0)
    example = np.repeat(np.arange(50), 10)
    samples = pd.DataFrame(
        {
            "example_id": example,
            "repeat": np.tile(np.arange(10), 50),
            "prediction": (rng.random(50) < 0.5)[example].astype(int).astype(str),
            "target": "1",
        }
    )
    by_itself = rescore(samples, "exact_match")["stderr"][0]
    assert by_itself == pytest.approx(
        rescore(samples, "exact_match", cluster="example_id")["stderr"][0]
    )
    assert by_itself > 2 * rescore(samples.drop(columns="repeat"), "exact_match")["stderr"][0]


def test_clusters_are_named_and_counted_where_something_was_scored():
    samples = pd.DataFrame(
        {"prediction": ["1", "2", None, None], "target": "1", "cluster": ["x", "x", "y", "y"]}
    )
    assert np.isnan(rescore(samples, "exact_match", cluster="cluster")["stderr"][0])
    empty = rescore(samples.assign(cluster=""), "exact_match", cluster="cluster")
    assert np.isnan(empty["stderr"][0])
    with pytest.raises(TableError, match="2 of 4 rows have none"):
        rescore(samples.assign(cluster=["x", None, "y", None]), "exact_match", cluster="cluster")


def test_columns_to_part_by_may_have_any_name_but_those_of_results():
    for name in ("label", "n", "sum", "missing", "quantity", "group"):
        assert len(rescore(RIGHT.assign(**{name: ["u", "v"] * 2}), "exact_match", by=[name])) == 2
    assert len(rescore(RIGHT, "exact_match", by="model")) == 2
    assert len(rescore(RIGHT, "exact_match", by=["model", "model"])) == 2
    with pytest.raises(TableError, match="cannot part by 'score'"):
        rescore(RIGHT.assign(score=1), "exact_match", by="score")
    with pytest.raises(TableError, match="must hold plain values"):
        rescore(RIGHT.assign(model=[["a"]] * 4), "exact_match", by="model")
    assert len(rescore(RIGHT.assign(model=[None, "a", None, "a"]), "exact_match", by="model")) == 2


@pytest.mark.parametrize("samples", [{"a": 1}, 5, [{"prediction": "1"}]])
def test_other_containers_are_refused(samples):
    with pytest.raises(TableError, match="samples: "):
        rescore(samples, "exact_match")
    with pytest.raises(TableError, match="samples: expected a table"):
        score_samples(samples, "exact_match")


def test_iterators_are_not_shared_out():
    batches = pa.Table.from_pandas(RIGHT).to_batches()
    with pytest.raises(ValueError, match="cannot share out an iterator"):
        rescore(iter(batches), "exact_match", engine="processes")


def test_examples_that_give_no_estimate_are_counted_as_missing():
    rows = [{"example_id": i, "prediction": "1", "target": "1"} for i in (0, 0, 0, 1)]
    [row] = rescore(pd.DataFrame(rows), get("pass_at_k", k=3)).to_dict("records")
    assert (row["n_examples"], row["n_missing"]) == (1, 1)


def test_runs_cut_off_by_the_budget_are_counted_not_dropped():
    marks = np.zeros((100, 10), dtype=int)
    marks[0, :2] = 1  # one example of a hundred had its two successes, at draw 10
    rows = pd.DataFrame(
        {
            "example_id": np.repeat(np.arange(100), 10),
            "prediction": marks.ravel().astype(str),
            "target": "1",
        }
    )
    [row] = rescore(rows, "pass_until").to_dict("records")
    assert row["score"] == pytest.approx((1 / 9) / 100)
    assert row["n_examples"] == 100


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("subset_accuracy", {"of": "token_edit_distance"}, "marks samples from 0"),
        ("chance_corrected_accuracy", {"of": "brier_sum"}, "and brier_sum is none"),
        ("normalized_preferred_score", {"of": "token_edit_distance"}, "a metric with a range"),
        (
            "subset_accuracy",
            {"method": "biassed"},
            "Unknown method= 'biassed'; did you mean 'unbiased'",
        ),
        ("pass_until", {"r": 1}, "r must be 2 or more for the unbiased"),
        ("pass_at_k", {"k": 0}, "k must be 1 or more"),
        ("ece", {"n_bins": 0}, "n_bins must be 1 or more"),
        ("token_edit_distance", {"normalise": "max"}, "Unknown normalise= 'max'"),
        ("exact_match", {"unit": "chars"}, "Unknown unit= 'chars'; did you mean 'characters'"),
    ],
)
def test_options_are_checked_at_the_door(name, options, message):
    with pytest.raises(ValueError, match=message):
        get(name, **options)


def test_names_tell_options_and_harnesses_apart():
    words, letters = (
        get("exact_match", first_tokens=2, unit=unit) for unit in ("words", "characters")
    )
    assert words.name != letters.name
    assert get("numeric_match", tolerance=0).name == "numeric_match(tolerance=0)"
    assert get("acc", compat="lm-eval").name == "acc(compat=lm-eval)"
    assert (
        get("numeric_match", tolerance=0, compat="bigbench").name
        == "numeric_match(tolerance=0, compat=bigbench)"
    )
    samples = pd.DataFrame({"choice_logprobs": [[-1.0, -1.0]], "gold": [1]})
    both = rescore(samples, ["acc", get("acc", compat="lm-eval")])
    assert both["score"].tolist() == [0.5, 0.0]


def test_normalised_scores_have_the_range_that_bigbench_states():
    samples = pd.DataFrame({"choice_logprobs": np.log([[0.5, 0.5]]).tolist(), "gold": [0]})
    halves = [
        get("normalized_preferred_score", of=name)
        for name in ("p_correct", "multiple_choice_grade")
    ]
    assert rescore(samples, halves)["score"].tolist() == [0.5, 0.0]
    alone = pd.DataFrame({"choice_logprobs": [[-1.0]], "gold": [0]})
    assert np.isnan(rescore(alone, "chance_corrected_accuracy")["score"][0])


def test_row_numbers_in_messages_are_those_of_the_table():
    samples = pd.DataFrame({"choice_logprobs": [[-1.0, -2.0]] * 40_000, "gold": 0})
    samples.loc[39_999, "gold"] = 7
    with pytest.raises(TableError, match="'gold' of row 39999 is 7"):
        score_samples(samples, "acc")


@pytest.mark.parametrize(
    "bad",
    [
        {"token_logprobs": [np.inf, -1.0], "n_bytes": 2},
        {"token_logprobs": [np.nan, -1.0], "n_bytes": 2},
        {"token_logprobs": [-1.0, -1.0], "n_bytes": -2},
    ],
)
def test_texts_without_a_likelihood_or_length_are_missing(bad):
    good = {"token_logprobs": [-1.0, -2.0], "n_bytes": 3}
    [row] = rescore(pd.DataFrame([bad, good]), "bits_per_byte").to_dict("records")
    assert row["score"] == pytest.approx(1 / np.log(2))
    assert (row["n_examples"], row["n_missing"]) == (1, 1)
    assert np.isnan(get("bits_per_byte").score(pd.DataFrame([bad, good]))[0])


@pytest.mark.parametrize("cluster", [None, "cluster"])
@pytest.mark.parametrize("name", ["cross_entropy_choices", "logprob_correct", "margin_logprob"])
def test_an_infinite_mean_has_no_error_rather_than_none_at_all(name, cluster):
    logprobs = [[-np.inf, -1.0], [-1.0, -2.0], [-1.0, -3.0]]
    samples = pd.DataFrame({"choice_logprobs": logprobs, "gold": 0, "cluster": list("aab")})
    batches = [samples.iloc[:1], samples.iloc[1:]]
    for source in (samples, iter(pa.Table.from_pandas(batch) for batch in batches)):
        [row] = rescore(source, name, cluster=cluster).to_dict("records")
        assert np.isinf(row["score"])
        assert np.isnan(row["stderr"])


def test_perplexities_beyond_floats_are_infinite_without_a_warning():
    samples = pd.DataFrame({"logprob": [-1000.0, -900.0], "n_words": 1, "n_bytes": 1})
    assert np.isposinf(get("word_perplexity").score(samples)).all()
    [row] = rescore(samples, "byte_perplexity").to_dict("records")
    assert row["score"] == np.inf
    assert np.isnan(row["stderr"])
