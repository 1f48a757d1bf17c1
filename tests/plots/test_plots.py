import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emergekit import datasets, laws
from emergekit.emergence import mirage_test, simulate_world
from emergekit.errors import FitError, TableError
from emergekit.fitting import Fit, bootstrap, fit, influence, leave_largest_out
from emergekit.plots import (
    plot_curves,
    plot_draws,
    plot_extrapolation,
    plot_fit,
    plot_influence,
    plot_profile,
    plot_verdict,
    plot_verdicts,
)
from emergekit.plots.axes import label, literal, shortened, told_apart
from emergekit.plots.fits import plot_residuals

RESULTS = pd.DataFrame(
    {
        "model": [f"m{i}" for i in range(6)],
        "family": ["f"] * 3 + ["$g$"] * 3,
        "task": "t",
        "metric": "acc",
        "score": [0.1, 0.2, 0.3] * 2,
        "stderr": 0.01,
        "chance": 0.25,
        "n_params": [1e7, 1e8, 1e9] * 2,
        "loss": [4.0, 3.0, 2.0] * 2,
    }
)


def test_curves_are_drawn_on_the_axes_they_are_given():
    _, ax = plt.subplots()
    assert plot_curves(RESULTS, ax=ax) is ax
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "model size (parameters)"
    assert len(ax.containers) == 2
    chance = [line for line in ax.lines if np.allclose(line.get_ydata(), 0.25)]
    assert len(chance) == 1


def test_each_family_has_its_colour():
    ax = plot_curves(RESULTS)
    assert len({container[0].get_color() for container in ax.containers}) == 2


def many(tasks, metrics=("acc",), **columns):
    parts = [
        RESULTS[RESULTS["family"] == "f"].assign(task=task, metric=metric)
        for task in tasks
        for metric in metrics
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def look(container):
    line = container[0]
    return line.get_color(), line.get_marker(), line.get_linestyle()


def test_with_one_family_each_task_has_its_colour_and_its_name():
    ax = plot_curves(many(["adding", "sorting"]))
    assert len({look(container)[0] for container in ax.containers}) == 2
    assert [container.get_label() for container in ax.containers] == ["adding", "sorting"]
    assert ax.get_ylabel() == "acc"


def test_metrics_differ_in_marker_and_in_line():
    ax = plot_curves(many(["t", "u"], ["acc", "brier_mean"]))
    _, markers, lines = zip(*(look(container) for container in ax.containers), strict=True)
    assert len(set(markers)) == len(set(lines)) == 2
    assert "t, brier_mean (lower is better)" in [c.get_label() for c in ax.containers]


def test_one_family_and_one_task_are_told_apart_in_every_way():
    ax = plot_curves(many(["t"], ["acc", "brier_mean"]))
    one, other = (look(container) for container in ax.containers)
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_a_legend_names_twelve_curves_and_counts_the_rest():
    ax = plot_curves(many([f"task {place}" for place in range(30)], chance=np.nan))
    texts = [text.get_text() for text in ax.legend().get_texts()]
    assert len(texts) == 13
    assert texts[-1] == "and 18 more"


def test_the_direction_of_a_single_metric_stands_on_its_axis():
    ax = plot_curves(many(["t"], ["my_loss"], higher_is_better=False))
    assert ax.get_ylabel() == "my_loss (lower is better)"


def reaches(ax):
    return [
        np.ptp(bar[:, 1]) for bars in ax.containers[0][2] for bar in bars.get_segments() if len(bar)
    ]


def test_error_bars_of_shares_come_from_the_number_of_examples():
    table = many(["t"], stderr=np.nan, n_examples=100, score=0.5)
    assert reaches(plot_curves(table)) == pytest.approx([0.1] * 3, rel=0.01)
    _, ax = plt.subplots()
    assert reaches(plot_curves(table.assign(score=0.0), ax=ax)) == pytest.approx(
        [0.01] * 3, rel=0.1
    )


@pytest.mark.parametrize("metric", ["brier_mean", "p_correct_choices"])
def test_scores_that_are_no_shares_of_right_answers_get_no_binomial_bars(metric):
    ax = plot_curves(many(["t"], [metric], stderr=np.nan, n_examples=100))
    assert not ax.containers[0].has_yerr


def test_the_chance_level_has_a_name():
    ax = plot_curves(RESULTS)
    assert "chance" in ax.get_legend_handles_labels()[1]


def test_each_metric_has_its_own_chance_level():
    table = many(["t"], ["acc", "brier_mean"])
    table["chance"] = table["metric"].map({"acc": 0.25, "brier_mean": 0.1875})
    labels = plot_curves(table).get_legend_handles_labels()[1]
    assert {"chance, acc", "chance, brier_mean"} <= set(labels)


def test_long_names_lose_their_middle_and_stay_distinct():
    names = [f"bigbench_logical_deduction_variant_{n:02d}_multiple_choice" for n in range(30)]
    short = told_apart(names)
    assert len(set(short)) == 30
    assert max(map(len, short)) <= 34
    assert told_apart(["a", "b"]) == ["a", "b"]
    assert shortened("x" * 50, 11) == "xxxxx…xxxxx"
    twins = [f"{'x' * 50}{n}{'y' * 50}" for n in range(3)]
    assert len(set(told_apart(twins))) == 3


def test_loss_falls_to_the_right():
    ax = plot_curves(RESULTS.rename(columns={"loss": "val_loss"}), x="val_loss")
    assert ax.xaxis_inverted()
    plt.close()
    ax = plot_curves(RESULTS, x="loss")
    assert ax.xaxis_inverted()


def test_a_dollar_in_a_name_starts_no_formula():
    ax = plot_curves(RESULTS)
    ax.legend()
    ax.figure.canvas.draw()
    assert literal("$x$ y") == r"\$x\$ y"
    assert label("my_$cale") == r"my \$cale"


def test_a_fit_of_two_variables_is_observed_against_predicted(chinchilla_fit):
    ax = plot_fit(chinchilla_fit)
    assert ax.get_xlabel() == "predicted loss (nats per token)"
    assert len(ax.collections) == 2


def test_observed_and_predicted_share_their_range(chinchilla_fit):
    ax = plot_fit(chinchilla_fit)
    assert ax.get_xlim() == ax.get_ylim()


def test_a_fit_of_rows_that_share_an_index_is_drawn_row_by_row(chinchilla_fit):
    parts = {name: getattr(chinchilla_fit, name) for name in chinchilla_fit.__dataclass_fields__}
    twice = parts["data"].set_axis([0] * 240)
    ax = plot_fit(Fit(**(parts | {"data": twice})))
    drawn = np.asarray(ax.collections[1].get_offsets())
    assert len(drawn) == 240
    expected = np.asarray(plot_fit(chinchilla_fit).collections[-1].get_offsets())
    assert drawn == pytest.approx(expected)


def test_residuals_scatter_around_zero(chinchilla_fit):
    ax = plot_residuals(chinchilla_fit)
    drawn = np.asarray(ax.collections[0].get_offsets())[:, 1]
    assert len(drawn) == 240
    assert abs(np.median(drawn)) < 1e-3
    assert ax.get_ylabel() == "residual of ln loss (observed - fit)"


def constant(n_params, a):
    return a + 0 * n_params


def constant_gradient(n_params, a):
    return (np.ones_like(n_params) + 0 * a,)


def test_a_fit_of_one_variable_is_a_curve_through_the_rows():
    from emergekit.laws import Law, Parameter

    law = Law(
        "constant", ("n_params",), "score", (Parameter("a", 1.0),), constant, constant_gradient
    )
    ax = fit(law, RESULTS).plot()
    assert ax.get_xlabel() == "model size (parameters)"
    assert ax.lines[0].get_ydata() == pytest.approx(np.full(200, 0.2))


def test_a_profile_is_drawn_with_its_interval(chinchilla_fit):
    ax = plot_profile(chinchilla_fit, "beta")
    profile_line = ax.get_lines()[1]
    assert (np.diff(profile_line.get_ydata()) > 0).all()
    assert ax.get_ylabel() == "standard errors from the fit"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "95% interval",
        "standard error",
        "profile",
    ]


def test_draws_of_two_parameters_are_points_with_their_intervals(chinchilla_fit):
    drawn = bootstrap(chinchilla_fit, 100)
    ax = plot_draws(drawn, "B", "beta")
    assert len(ax.collections[0].get_offsets()) == len(drawn.draws)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert len(ax.get_lines()) == 5
    with pytest.raises(FitError, match="has no draws"):
        plot_draws(chinchilla_fit, "B", "beta")
    with pytest.raises(FitError, match="Unknown parameter of chinchilla 'bta'"):
        plot_draws(drawn, "B", "bta")


def test_a_variable_that_spans_little_has_a_linear_axis():
    loss = np.linspace(2.0, 3.5, 12)
    table = pd.DataFrame({"loss": loss, "score": 0.2 + 0.5 * np.maximum(2.7 - loss, 0)})
    found = fit(laws.hinge(), table, fixed={"c": 0.2})
    assert plot_fit(found).get_xscale() == "linear"


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_the_rows_that_a_fit_rests_on_are_named_and_large():
    runs = datasets.load_chinchilla().set_index("model")
    table = influence(fit(laws.CHINCHILLA, runs), exact=False)
    ax = plot_influence(table)
    assert [text.get_text() for text in ax.texts] == list(table.index[:5])
    plain, outliers = (np.asarray(dots.get_sizes()) for dots in ax.collections)
    assert len(plain) + len(outliers) == 245
    assert len(outliers) == table["outlier"].sum()
    assert outliers.max() == max(plain.max(), outliers.max())
    with pytest.raises(TableError, match="needs column 'cook'"):
        plot_influence(table.drop(columns="cook"))


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_an_extrapolation_shades_what_was_held_out_and_says_how_far_each_law_is_off():
    points = datasets.load_bnsl_addition()
    known = points[points["is_fit"]]
    fits = [fit(law, known) for law in (laws.broken_power_law(1, "x"), laws.m1("x"))]
    ax = plot_extrapolation(fits, points)
    assert [len(line.get_xdata()) for line in ax.lines] == [300, 300]
    names = ax.get_legend_handles_labels()[1]
    assert names[:2] == ["held out", "broken1_in_x, error 0.0111"]
    shade = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (shade.x0, shade.x1) == pytest.approx((800.0, 928.0))
    with pytest.raises(TableError, match="14 of 14 rows of the table are rows of the fit"):
        plot_extrapolation(fits, known)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_laws_of_several_variables_are_points_where_rows_are_held_out(chinchilla_runs):
    [(train, test)] = leave_largest_out()(chinchilla_runs)
    ax = plot_extrapolation(fit(laws.CHINCHILLA, train), chinchilla_runs, x="flops")
    assert [len(dots.get_offsets()) for dots in ax.collections] == [192, 48, 48]
    assert ax.get_xlabel() == "training compute (FLOPs)"
    assert len(test) == 48


def judged(world, **options):
    table = simulate_world(world, seed=3)
    return table, mirage_test(table, x="flops", **options).iloc[0]


def test_a_verdict_shows_both_metrics_on_one_scale_its_plateau_and_its_words():
    table, verdict = judged("em K=10")
    figure, ax = plt.subplots()
    assert plot_verdict(table, verdict, ax=ax) is ax
    assert ax.get_xscale() == "log"
    assert "mirage: token_nll rises without a break" in ax.get_title(loc="left").replace("\n", " ")
    other = figure.axes[1]
    assert other.yaxis_inverted()  # a loss: better is up
    assert len(other.lines[0].get_xdata()) == len(ax.containers[0][0].get_xdata()) == 12
    assert any("at chance" in text.get_text() for text in ax.texts)


def test_a_threshold_is_a_line_with_its_interval():
    table, verdict = judged("em hinge K=5")
    ax = plot_verdict(table, verdict)
    lines = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert verdict["eta"] in lines
    assert any("threshold" in text.get_text() for text in ax.texts)


def test_a_verdict_on_other_data_is_refused():
    table, verdict = judged("em K=10")
    with pytest.raises(TableError, match="no row belongs to the verdict on task em K=10"):
        plot_verdict(table.assign(task="other"), verdict)


def test_verdicts_without_counts_or_continuous_metric_are_drawn_as_well():
    table = simulate_world("mc hinge").query("metric == 'multiple_choice_grade'")
    bare = table.drop(columns=["n_examples", "stderr"])
    ax = plot_verdict(bare, mirage_test(bare, x="flops").iloc[0])
    assert "number of test items is unknown" in ax.get_title(loc="left")


def test_a_map_of_verdicts_has_a_tile_a_task_and_family():
    table = pd.concat([simulate_world(world) for world in ("em K=10", "mc flat", "em hinge K=5")])
    both = pd.concat(
        [table, table.assign(family="other", model="x" + table["model"])], ignore_index=True
    )
    verdicts = mirage_test(both, x="flops")
    ax = plot_verdicts(verdicts)
    assert len(ax.patches) == 6
    assert [text.get_text() for text in ax.get_xticklabels()] == ["simulated", "other"]
    assert ax.get_yticklabels()[0].get_text() == "em hinge K=5 0"  # the strongest first
    assert "no rise" in {text.get_text() for text in ax.texts}
    with pytest.raises(TableError, match="two verdicts on task"):
        plot_verdicts(pd.concat([verdicts, verdicts]))
