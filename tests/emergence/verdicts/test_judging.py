import numpy as np
import pandas as pd
import pytest

import emergekit as ek
from emergekit.emergence import simulate_world, verdict_in_words
from emergekit.emergence.verdicts.pairing import loss_scale, pair_metrics
from emergekit.errors import TableError


def wiggle(m):
    return np.sqrt(2) * np.cos(2.4 * np.arange(m) ** 2)


def results(score, loss=None, *, n=200, metric="exact_match", task="t", **columns):
    """Return results of models at 1e18 to 1e24 FLOPs."""
    m = len(score)
    models = pd.DataFrame({"model": [f"m{i:02d}" for i in range(m)], "family": "f", "task": task})
    models["flops"] = 10 ** np.linspace(18, 24, m)
    models = models.assign(**columns)
    sharp = models.assign(metric=metric, score=score, n_examples=n)
    if loss is None:
        return sharp
    rows = [sharp, models.assign(metric="token_nll", score=loss)]
    return pd.concat(rows, ignore_index=True)


def mirage(m, n, length=10):
    loss = 3 * 10 ** (-0.25 * np.linspace(0, 6, m)) * (1 + 0.02 * wiggle(m))
    return results(np.round(n * np.exp(-length * loss)) / n, loss, n=n)


def threshold(m, n):
    x = np.linspace(18, 24, m)
    loss = 2.5 * np.exp(-1.2 * np.maximum(x - 21, 0)) * (1 + 0.02 * wiggle(m))
    return results(np.round(n * np.exp(-5 * loss)) / n, loss, n=n)


def judged(table, **options):
    return ek.mirage_test(table, **{"x": "flops"} | options).iloc[0]


@pytest.mark.parametrize("m", [8, 12, 20])
@pytest.mark.parametrize("n", [200, 1000])
def test_worked_examples(m, n):
    row = judged(mirage(m, n))
    assert (row["verdict"], row["evidence"]) == ("mirage", "continuous")
    assert row["p_break"] > 0.2
    assert row["p_rev"] < 0.02
    assert row["p_link"] > 0.5
    assert row["link_A"] == pytest.approx(10, rel=0.1)
    row = judged(threshold(m, n))
    assert (row["verdict"], row["evidence"]) == ("genuine", "continuous")
    assert row["p_break"] <= 0.02
    assert row["p_rev"] > 0.1
    assert row["eta"] == pytest.approx(1e21, rel=0.3)
    assert row["eta_lower"] <= row["eta"] <= row["eta_upper"]


def test_five_scales_are_never_genuine_and_a_loss_that_is_the_score_is_smooth():
    assert judged(threshold(5, 200))["verdict"] != "genuine"
    assert judged(mirage(12, 200, length=1))["verdict"] == "smooth"
    assert judged(mirage(20, 200, length=1))["verdict"] == "smooth"


def test_without_a_continuous_metric_exact_match_is_limited_by_resolution():
    table = mirage(12, 200)
    row = judged(table[table["metric"] == "exact_match"])
    assert (row["verdict"], row["reason"]) == ("resolution_limited", "no_continuous")
    assert row["plateau"] == 8
    assert np.isnan(row["q_break"])


def test_progress_hidden_by_the_metric_is_told():
    row = judged(mirage(12, 200))
    assert 0.5 < row["pre_share"] < 0.8
    assert verdict_in_words(row).startswith("mirage: token_nll rises without a break")


def test_order_of_rows_other_tasks_and_engines_change_nothing():
    table = mirage(8, 200)
    both = pd.concat([threshold(8, 200).assign(task="other"), table], ignore_index=True)
    alone = judged(table)
    shuffled = ek.mirage_test(both.sample(frac=1, random_state=1), x="flops").set_index("task")
    processes = ek.mirage_test(both, x="flops", engine="processes", n_workers=2).set_index("task")
    pd.testing.assert_frame_equal(shuffled.sort_index(), processes.sort_index())
    for name in ("p_break", "p_rev", "p_smooth_sharp", "p_link", "verdict"):
        assert shuffled.loc["t", name] == alone[name], name


def test_the_table_that_comes_in_is_left_as_it_is():
    table = mirage(8, 200)
    before = table.copy()
    ek.mirage_test(table, x="flops")
    pd.testing.assert_frame_equal(table, before)


def test_a_loss_is_an_axis_that_falls_and_other_columns_are_as_they_are():
    table = threshold(12, 200)
    table["loss"] = 30.0 - np.log10(table["flops"])
    table["ability"] = np.log10(table["flops"])
    by_loss, by_ability = judged(table, x="loss"), judged(table, x="ability")
    assert by_loss["p_break"] == by_ability["p_break"] == judged(table)["p_break"]
    assert by_loss["eta"] == pytest.approx(30 - by_ability["eta"])
    assert by_loss["eta_lower"] <= by_loss["eta"] <= by_loss["eta_upper"]
    assert by_loss["x_range"] == pytest.approx(6)


def test_the_width_can_be_given_in_the_unit_of_x():
    table = threshold(12, 200)
    assert judged(table, min_width=1.5)["p_break"] == judged(table, width=0.25)["p_break"]
    assert judged(table, min_width=1.5)["width"] == pytest.approx(1.5)
    assert judged(table, min_width=7)["reason"] == "range_too_short"


def test_many_tasks_get_finer_p_values_and_share_the_error():
    tables = [threshold(12, 200).assign(task="real")]
    tables += [mirage(12, 200).assign(task=f"t{i}") for i in range(11)]
    rows = ek.mirage_test(pd.concat(tables, ignore_index=True), x="flops").set_index("task")
    assert rows.loc["real", "n_boot"] == 1999
    assert rows.loc["real", "p_break"] < 0.005
    assert rows.loc["real", "q_break"] > rows.loc["real", "p_break"]
    assert rows.loc["real", "verdict"] == "genuine"
    assert (rows.drop("real")["verdict"] == "mirage").all()


# Runs


def trajectory(run, seed):
    rng = np.random.default_rng(seed)
    loss = np.sort(rng.uniform(2.4, 3.0, 40))[::-1]
    score = 0.25 + 0.5 * np.maximum(2.7 - loss, 0) ** 0.35 + 0.005 * rng.standard_normal(40)
    table = pd.DataFrame({"model": run, "run": run, "family": "f", "task": "t", "loss": loss})
    return table.assign(step=range(40), metric="acc", score=score, n_examples=5000, chance=0.25)


def test_checkpoints_stay_inside_their_run_and_the_family_has_the_label_of_most_runs():
    table = pd.concat([trajectory(f"r{i}", i) for i in range(3)], ignore_index=True)
    row = judged(table, x="loss")
    assert (row["scope"], row["n_runs"], row["n_agree"]) == ("family", 3, 3)
    assert (row["verdict"], row["evidence"]) == ("genuine", "implied")
    assert row["eta_lower"] <= 2.7 <= row["eta_upper"] + 0.03
    assert row["m"] <= 24
    runs = ek.mirage_test(table, x="loss", by_run=True)
    assert runs["run"].tolist() == ["r0", "r1", "r2"]
    assert (runs["scope"] == "run").all()
    assert runs["eta_lower"].isna().all()  # checkpoints give no interval of their own
    assert judged(trajectory("r0", 0), x="loss")["scope"] == "run"


def test_checkpoints_at_one_size_are_refused_with_a_remedy():
    table = trajectory("r0", 0).assign(n_params=1e9)
    with pytest.raises(TableError, match=r"share one n_params.*last checkpoint"):
        ek.mirage_test(table, x="n_params")


def test_seeds_may_share_a_scale_and_unnamed_models_may_not():
    one = threshold(8, 200)
    seeds = pd.concat([one.assign(seed=0), one.assign(seed=1)], ignore_index=True)
    assert judged(seeds)["m"] == 8
    twice = pd.concat([one, one.assign(model="again" + one["model"])], ignore_index=True)
    with pytest.raises(TableError, match="'run' or 'seed'"):
        ek.mirage_test(twice, x="flops")


# Pairing


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["exact_match"], ("exact_match", None)),
        (["token_edit_distance", "exact_match"], ("exact_match", "token_edit_distance")),
        (["token_edit_distance", "token_nll", "exact_match"], ("exact_match", "token_nll")),
        (["brier_sum", "acc"], ("acc", "brier_sum")),
        (["acc", "odd_thing"], ("acc", "odd_thing")),
        (["acc", "odd_thing", "odder"], ("acc", None)),
        (["acc", "bleu"], ("acc", None)),
        (["odd_thing"], (None, None)),
    ],
)
def test_the_registry_pairs_metrics(names, pair):
    found = pair_metrics(names, None, None)
    assert found[:2] == pair
    assert bool(found.note) == (pair[1] == "odd_thing" or pair[0] is None)


def test_losses_are_told_by_their_names():
    names = ("token_nll", "bits_per_byte", "c4_loss", "wikitext_ppl", "brier_sum", "acc")
    assert [loss_scale(name) for name in names] == ["loss"] * 3 + ["perplexity", None, None]


def test_a_perplexity_is_judged_as_the_loss_behind_it():
    table = threshold(8, 200)
    is_loss = table["metric"] == "token_nll"
    ppl = table.assign(
        metric=table["metric"].where(~is_loss, "byte_perplexity"),
        score=table["score"].where(~is_loss, np.exp(table["score"])),
    )
    row, other = judged(table), judged(ppl)
    assert (other["continuous"], other["transform"]) == ("byte_perplexity", "log")
    assert other["p_break"] == row["p_break"]


def test_error_rates_are_turned_over():
    table = mirage(12, 200)
    sharp = table["metric"] == "exact_match"
    table.loc[sharp, "score"] = 1 - table.loc[sharp, "score"]
    table = table.assign(higher_is_better=False, chance=np.where(sharp, 1.0, np.nan))
    assert judged(table, sharp="exact_match")["verdict"] == "mirage"


def test_unknown_chance_of_multiple_choice_is_taken_from_the_smallest_scales_and_told():
    table = simulate_world("mc narrow sigmoid", n_tasks=1, seed=1).drop(columns="chance")
    row = judged(table)
    assert row["chance"] == pytest.approx(0.25, abs=0.05)
    assert "chance is unknown" in row["note"]
    assert judged(table, chance=0.25)["chance"] == 0.25


# Samples


def test_an_accuracy_over_free_answers_is_exact_match_and_never_genuine():
    x = np.linspace(0, 1, 20)
    table = results(0.001 + 0.8 * np.maximum(0, x - 0.5), n=1000, metric="acc")
    row = judged(table)
    assert (row["kind"], row["chance"]) == ("em", 0.0)
    assert row["verdict"] != "genuine"
    with_choices = judged(results(0.25 + 0.7 * np.maximum(0, x - 0.5), n=20000, metric="acc"))
    assert with_choices["kind"] == "mc"


def test_arithmetic_of_pythia_is_undecided_at_seven_sizes():
    tables = ek.datasets.load_pythia_arithmetic()
    rows = ek.join_models(tables.results, tables.models)
    found = ek.mirage_test(rows[rows["step"] == 143000], x="n_params")
    assert set(found["verdict"]) == {"undecided"}


def test_samples_are_judged_by_the_product_of_their_own_tokens():
    rng = np.random.default_rng(0)
    rows = []
    difficulty = rng.gamma(4, 0.25, 300)
    for place, x in enumerate(np.linspace(18, 24, 12)):
        loss = 3 * 10 ** (-0.25 * (x - 18)) * difficulty
        for item, nll in enumerate(loss):
            right = rng.random() < np.exp(-10 * nll)
            rows.append((f"m{place}", 10.0**x, item, [-nll] * 10, "a" if right else "b"))
    names = ["model", "flops", "example_id", "token_logprobs", "prediction"]
    samples = pd.DataFrame(rows, columns=names).assign(task="t", family="f", target="a")
    row = judged(samples)
    assert row["verdict"] == "mirage"
    assert (row["link"], row["link_A"], row["link_b"]) == ("composition", 1.0, 1.0)
    assert row["link_maxres"] < 0.07
    whole = samples.assign(logprob=samples["token_logprobs"].map(sum)).drop(
        columns="token_logprobs"
    )
    of_targets = judged(whole)
    assert (of_targets["verdict"], of_targets["link"]) == ("mirage", "composition")
    assert of_targets["continuous"] == "target_nll"
    # A greedy decoder is right more often than the product says: another length, still linked.
    samples["prediction"] = np.where(rng.random(len(samples)) < 0.3, "a", samples["prediction"])
    assert judged(samples)["link"] != "composition"


def test_samples_without_log_probabilities_or_answers_are_refused():
    bare = pd.DataFrame({"model": ["m"], "task": ["t"], "example_id": [1], "flops": [1e20]})
    with pytest.raises(TableError, match="a verdict needs 'prediction' and 'target'"):
        ek.mirage_test(bare, x="flops")
    with pytest.raises(TableError, match="scale 'loss' is absent"):
        ek.mirage_test(bare, x="loss")


# Bad input


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.groupby("metric").head(4), "few_scales"),
        (lambda table: table.groupby("metric").head(1), "few_scales"),
        (lambda table: table.drop(columns="n_examples"), "n_unknown"),
        (lambda table: table.assign(n_examples=0), "n_unknown"),
        (lambda table: table.assign(score=table["score"] * 0 + 0.25, chance=0.25), "no_rise"),
        (lambda table: table.assign(metric="odd"), "no_sharp_metric"),
        (lambda table: table.assign(score=table["score"].to_numpy()[::-1]), "inverse_scaling"),
    ],
)
def test_what_cannot_be_judged_is_undecided_with_a_reason(change, reason):
    table = results(np.linspace(0, 0.9, 12).round(2), n=100)
    row = judged(change(table))
    assert (row["verdict"], row["reason"]) == ("undecided", reason)


def test_inverse_scaling_is_reported_as_such_under_both_metrics_and_by_choice():
    table = mirage(12, 200)
    turned = pd.concat([part.assign(score=part["score"].to_numpy()[::-1])
                        for _, part in table.groupby("metric")])  # fmt: skip
    row = judged(turned)
    assert (row["verdict"], row["reason"]) == ("undecided", "inverse_scaling")
    assert verdict_in_words(row) == "undecided: scores fall with scale"
    # Only the loss turned over: what the score rises with is something else.
    loss = table["metric"] == "token_nll"
    half = pd.concat([turned[turned["metric"] == "token_nll"], table[~loss]])
    assert judged(half)["reason"] == "not_mediated"


@pytest.mark.parametrize(
    "score",
    [
        [0.5, 0.45, 0.3, 0.15, 0.06, 0.05, 0.05, 0.1, 0.2, 0.3, 0.38, 0.4],
        [0.65, 0.5, 0.3, 0.15, 0.1, 0.1, 0.12, 0.3, 0.5, 0.7, 0.85, 0.9],
    ],
)
def test_a_u_shape_is_neither_inverse_scaling_nor_a_smooth_rise(score):
    row = judged(results(score, n=1000))
    assert (row["verdict"], row["reason"]) == ("undecided", "not_monotone")
    assert np.isnan(row["eta"])
    assert "fall and rise again" in verdict_in_words(row)


def test_one_checkpoint_far_away_is_not_taken_for_few_scales():
    near = np.linspace(2.5, 3.1, 40)
    table = results(np.linspace(0.8, 0.3, 41), n=1000, run="r", step=np.arange(41.0))
    table = table.assign(loss=[*near, 12.6]).drop(columns="flops")
    row = judged(table, x="loss")
    assert row["m"] < 5
    assert row["reason"] == "crowded_checkpoints"
    assert judged(table[table["loss"] < 12], x="loss")["m"] == 24


def test_test_sizes_that_are_missing_in_places_are_told():
    table = mirage(12, 200)
    for size in (0.0, np.nan):
        some = table["n_examples"].astype(float).where(table["model"] != "m03", size)
        row = judged(table.assign(n_examples=some))
        assert (row["verdict"], row["reason"]) == ("undecided", "n_unknown")
        assert "n_examples is unknown at 1 of 12 scores" in row["note"]


def test_one_run_is_judged_and_said_to_be_about_that_run_alone():
    row = judged(trajectory("r0", 0), x="loss")
    assert (row["scope"], row["n_runs"], row["n_agree"]) == ("run", 1, 1)
    assert np.isnan(row["eta_lower"])


def test_scales_that_differ_by_rounding_alone_are_one_scale():
    table = mirage(12, 200)
    near = table.assign(flops=1e20 * (1 + 1e-13 * np.tile(np.arange(12), 2)))
    row = judged(near)
    assert (row["verdict"], row["reason"]) == ("undecided", "range_too_short")


def test_families_are_judged_apart_and_huge_tests_do_no_harm():
    table = mirage(24, 200)
    two = table.assign(family=np.where(table["model"].str[1:].astype(int) % 2, "a", "b"))
    rows = ek.mirage_test(two.assign(n_examples=10**12), x="flops")
    assert rows["family"].tolist() == ["b", "a"]
    assert rows["m"].tolist() == [12, 12]
    assert (rows["verdict"] == "mirage").all()


def test_a_continuous_metric_that_is_missing_in_places_or_everywhere_is_told():
    table = mirage(12, 200)
    loss = table["metric"] == "token_nll"
    some = judged(table[~(loss & table["model"].isin(["m00", "m05"]))])
    assert some["m"] == 10
    assert "missing at 2 of 12" in some["note"]
    far = table.assign(model=table["model"].where(~loss, "other" + table["model"]))
    none = judged(far, continuous="token_nll")
    assert none["continuous"] is None
    assert "stands beside no score" in none["note"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(flops=t["flops"].where(t["model"] != "m03")), r"m03\) holds nan"),
        (lambda t: t.assign(flops=t["flops"].where(t["model"] != "m03", 0.0)), "must be positive"),
        (lambda t: t.assign(flops=t["flops"].where(t["model"] != "m03", np.inf)), "holds inf"),
        (lambda t: t.drop(columns="flops"), "scale 'flops' is absent"),
        (lambda t: t.assign(score=t["score"] * 100), "between 0 and 1.*Divide percentages"),
        (lambda t: pd.concat([t, t], ignore_index=True), "have the same key"),
        (lambda t: t.assign(chance=-0.1), r"share from 0 to 1, but row 0 \(model m00"),
        (lambda t: t.assign(n_examples=-5), "'n_examples' must be a whole number"),
        (lambda t: t.assign(score=t["score"].where(t.index != 3)), "row 3 holds nan"),
        (lambda t: t.assign(score=t["score"].where(t.index != 20, np.inf)), "row 20 holds inf"),
        (lambda t: t.assign(score=t["score"].where(t.index != 20, -1.0)), "between 0 and inf"),
        (lambda t: t.drop(columns="score"), "'score' is absent"),
        (lambda t: t.head(0), "no rows"),
        (lambda t: 3, "expected a pandas DataFrame"),
    ],
)
def test_broken_tables_are_refused(change, message):
    with pytest.raises(TableError, match=message):
        ek.mirage_test(change(mirage(12, 200)), x="flops")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sharp": "exact_mach"}, "did you mean 'exact_match'"),
        ({"continuous": "nll"}, "metric for continuous="),
        ({"width": 0}, "width is a share"),
        ({"min_width": -1}, "min_width must be positive"),
        ({"alpha": 2}, "alpha must lie"),
        ({"n_boot": 9}, "cannot give a p-value of 0.05; take 19"),
        ({"fdr": "holm"}, "fdr"),
        ({"kind": "exact"}, "Unknown kind"),
        ({"chance": 25}, "chance must be a share"),
        ({"n_boot": "many"}, "n_boot must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
        ({"sharp": "exact_match", "continuous": "exact_match"}, "cannot explain itself"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ek.mirage_test(mirage(8, 200), x="flops", **options)


def test_scores_of_an_unknown_metric_above_one_are_no_shares():
    table = results(np.linspace(0, 90, 12), metric="my_accuracy")
    with pytest.raises(TableError, match="share of right answers"):
        ek.mirage_test(table, x="flops", sharp="my_accuracy")


def test_curves_without_n_shots_or_family_are_one_row():
    row = judged(mirage(8, 200).drop(columns="family"))
    assert row["verdict"] == "mirage"
    assert row["family"] is None
