import numpy as np
import pytest
from matplotlib.figure import Figure

from emergekit import figures

SLOW = {"extrapolation", "fitting-cost"}


@pytest.mark.parametrize("name", sorted({*figures.FIGURES} - SLOW))
def test_every_figure_comes_with_its_table(name):
    figure, table = figures.get(name)()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    assert len(table)


def test_costs_are_measured_for_every_size():
    figure, table = figures.get("fitting-cost")(points=(100, 1000), resamples=(10, 50))
    figure.canvas.draw()
    assert table["n"].tolist() == [100, 1000, 10, 50]
    assert table["cpu_seconds"].gt(0).all()


def test_an_unknown_figure_comes_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'chinchilla'"):
        figures.get("chinchila")


def test_the_six_panels_show_the_numbers_of_the_model():
    # spec/mirage.md 1.2: c = 1e9, alpha = -0.5, five tokens, N = 1e10
    figure, table = figures.mirage.mathematical_model()
    assert len(figure.axes) == 6
    at = table[np.isclose(table["n_params"], 1e10)]
    five = at[at["n_target_tokens"] == 5].set_index("metric")["score"]
    assert five["exact_match"] == pytest.approx(0.205741, abs=5e-7)
    assert five["token_edit_distance"] == pytest.approx(1.355533, abs=5e-7)
    brier = at[(at["metric"] == "brier_mean") & (at["n_choices"] == 2)]["score"]
    assert brier.iloc[0] == pytest.approx(0.073499, abs=5e-7)
    longest = table[(table["metric"] == "exact_match") & (table["n_target_tokens"] == 5)]
    score = longest.set_index("n_params")["score"]
    assert score.iloc[20] < 0.01  # 1e9
    assert score.iloc[60] > 0.6  # 1e11


def test_edit_distance_and_brier_are_drawn_with_better_up():
    figure, _ = figures.mirage.mathematical_model()
    assert [ax.yaxis_inverted() for ax in figure.axes] == [False] * 4 + [True] * 2


def test_emergence_scores_by_metric_over_bigg():
    _, table = figures.mirage.emergence_scores()
    counts = table["metric"].value_counts().to_dict()
    assert counts == {"multiple_choice_grade": 33, "confidence_brier": 33, "exact_match": 20}
    high = table[table["emergence_score"] > 20]
    assert set(high["metric"]) == {"exact_match"}
    assert len(high) == 4


def test_two_metrics_hold_94_percent_of_the_annotated_tasks():
    # spec/mirage.md section 3: 51, 12, 2 and 2 of 67; the paper says more than 92 %
    _, table = figures.mirage.annotated_metrics()
    assert dict(zip(table["metric"], table["n_tasks"], strict=True)) == {
        "multiple_choice_grade": 51,
        "exact_str_match": 12,
        "bleu": 2,
        "unknown": 2,
    }
    assert table["share"].iloc[:2].sum() == pytest.approx(63 / 67)


def test_the_chinchilla_figure_has_the_fit_in_its_table():
    _, table = figures.scaling.chinchilla()
    assert len(table) == 240
    assert np.log(table["loss"] / table["predicted"]).to_numpy() == pytest.approx(table["residual"])
    assert table["loss"].between(table["lower"], table["upper"]).mean() > 0.9


def test_every_figure_says_in_one_line_what_it_shows():
    said = figures.describe()
    assert list(said) == list(figures.FIGURES)
    assert all(20 < len(line) < 100 and "\n" not in line for line in said.values())


def test_the_grade_steps_straight_up():
    figure, _ = figures.mirage.mathematical_model()
    assert {line.get_drawstyle() for line in figure.axes[3].lines} == {"steps-mid"}


def test_axes_say_where_lower_is_better():
    figure, _ = figures.mirage.mathematical_model()
    for ax in figure.axes:
        assert ax.get_ylabel()
        assert ("lower is better, axis inverted" in ax.get_ylabel()) == ax.yaxis_inverted()


def test_choices_and_tokens_have_no_colour_in_common():
    figure, _ = figures.mirage.mathematical_model()
    tokens, choices = ({line.get_color() for line in figure.axes[n].lines} for n in (2, 3))
    assert not tokens & choices


def test_infinite_scores_stand_apart_and_are_named():
    figure, table = figures.mirage.emergence_scores()
    (ax,) = figure.axes
    figure.canvas.draw()
    endless = int(np.isinf(table["emergence_score"]).sum())
    assert endless == 3
    texts = {text.get_text(): text for text in ax.texts}
    steep = table.loc[table["emergence_score"] > figures.mirage.STEEP, "task"]
    assert set(steep) <= set(texts)
    places = np.vstack([dots.get_offsets() for dots in ax.collections])
    inf = places[places[:, 0] == places[:, 0].max()]
    assert len(inf) == endless
    assert np.diff(np.sort(inf[:, 1])).min() > 0.2
    assert "infinite" in [tick.get_text() for tick in ax.get_xticklabels()]
    assert any("20" in text and "threshold" in text for text in texts)
    boxes = [texts[task].get_window_extent() for task in steep]
    assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)


def test_bar_labels_stay_inside_the_axes():
    figure, _ = figures.mirage.annotated_metrics()
    figure.canvas.draw()
    (ax,) = figure.axes
    assert max(text.get_window_extent().x1 for text in ax.texts) < ax.get_window_extent().x1
    assert ax.get_xlabel() == "number of tasks (of 67 annotated as emergent)"
    assert len(ax.get_legend().get_texts()) == 2


def test_the_chinchilla_figure_shows_the_runs_that_were_left_out(chinchilla_fit):
    figure, table = figures.scaling.chinchilla(chinchilla_fit)
    assert table["predicted"].to_numpy() == pytest.approx(
        chinchilla_fit.predict(chinchilla_fit.data)["predicted"].to_numpy()
    )
    left, right, *_ = figure.axes
    hollow = [dots for dots in left.collections if not len(dots.get_facecolors())]
    assert [len(dots.get_offsets()) for dots in hollow] == [5]
    assert sum("10^" in text.get_text() for text in left.texts) == 6
    assert right.get_ylabel() == "residual of ln loss (observed - fit)"
