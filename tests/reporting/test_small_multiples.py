import numpy as np
import pytest

from emergekit.emergence import curve_shapes
from emergekit.reporting.small_multiples import small_multiples


def drawn(table, x="n_params"):
    return small_multiples(table, curve_shapes(table, x=x), x)


def used(figure):
    return [ax for ax in figure.axes if ax.has_data()]


def test_shares_share_a_panel_and_other_metrics_have_their_own(grid):
    figure, words = drawn(grid(tasks=["t"], metrics=["acc", "exact_match", "word_perplexity"]))
    shares, other = used(figure)
    assert len(shares.containers) == 2
    assert shares.get_ylim() == pytest.approx((-0.03, 1.03))
    assert len(other.containers) == 1
    assert other.get_ylim()[1] > 50
    assert "word_perplexity" in other.get_ylabel()
    assert "lower is better" in other.get_ylabel()
    assert "other metrics in panels of their own" in words


def test_there_are_twelve_panels_at_most_and_the_words_say_so(grid):
    tasks = [f"task {n}" for n in range(30)]
    figure, words = drawn(grid(tasks=tasks))
    assert len(used(figure)) == 12
    assert "showing 12 of 30 tasks" in words
    figure, words = drawn(grid(tasks=tasks, metrics=["acc", "word_perplexity"]))
    assert len(used(figure)) == 12
    assert "showing 6 of 30 tasks" in words


def test_settings_of_one_task_have_panels_of_their_own(grid):
    table = grid(tasks=["t"], families=["f", "g"])
    table["n_shots"] = table["family"].map({"f": 0, "g": 5})
    figure, words = drawn(table)
    assert [ax.get_title(loc="left") for ax in used(figure)] == ["n_shots 0", "n_shots 5"]
    assert "2 settings" in words


def test_a_single_curve_has_no_legend(grid):
    figure, _ = drawn(grid(chance=0.25))
    assert not figure.legends


def test_families_have_colours_and_metrics_have_lines(grid):
    figure, words = drawn(grid(metrics=["acc", "exact_match"], families=["f", "g"], chance=0.25))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "f",
        "g",
        "acc",
        "exact_match",
        "chance",
    ]
    assert "The grey line is the score of a guess." in words


def test_the_metrics_of_one_family_are_told_apart(grid):
    figure, _ = drawn(grid(metrics=["acc", "exact_match"]))
    looks = [(c[0].get_marker(), c[0].get_linestyle()) for c in used(figure)[0].containers]
    assert len(set(looks)) == 2


def test_legends_of_many_families_count_the_rest(grid):
    figure, _ = drawn(grid(families=[f"family {n}" for n in range(20)]))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[-1] == "and 8 more families"


def test_a_long_legend_takes_no_room_from_the_panels(grid):
    few, _ = drawn(grid(families=["f", "g"]))
    many, _ = drawn(grid(families=[f"family {n}" for n in range(20)]))
    heights = []
    for figure in (few, many):
        figure.canvas.draw()
        heights.append(used(figure)[0].get_window_extent().height)
    assert heights[1] > 0.9 * heights[0]


def test_titles_of_long_names_differ(grid):
    tasks = [f"bigbench_logical_deduction_variant_{n}_multiple_choice" for n in range(5)]
    figure, _ = drawn(grid(tasks=tasks))
    assert len({ax.get_title(loc="left") for ax in used(figure)}) == 5


def test_error_bars_are_drawn_and_said(grid):
    figure, words = drawn(grid(n_examples=50))
    assert used(figure)[0].containers[0].has_yerr
    assert "from n_examples" in words
    _, words = drawn(grid(n_examples=50, stderr=0.1))
    assert "as stated" in words


def test_panels_over_loss_share_a_range_that_falls(grid):
    table = grid(tasks=["t", "u"])
    table["loss"] = 10 - np.log10(table["n_params"])
    figure, _ = drawn(table.drop(columns="n_params"), x="loss")
    limits = {ax.get_xlim() for ax in used(figure)}
    assert len(limits) == 1
    assert next(iter(limits))[0] > next(iter(limits))[1]
