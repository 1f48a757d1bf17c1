import numpy as np
import pytest

from emergekit import figures


@pytest.fixture(scope="module")
def threshold():
    return figures.loss_view.threshold()


def test_the_threshold_is_in_the_table_with_its_interval(threshold):
    # loss_and_transitions.md, section 5: 2.679, 2.701 and 2.714 nats; 376 checkpoints
    _, table = threshold
    assert len(table) == 376
    assert table["threshold_loss"].iloc[0] == pytest.approx(2.70, abs=0.03)
    assert (
        table["threshold_loss"]
        .between(table["threshold_loss_lower"], table["threshold_loss_upper"])
        .all()
    )
    eta = table.groupby("run")["eta_loss"].first()
    assert eta["peteish13"] < eta["peteish7"] < eta["peteish7-medlr"]
    assert set(table["verdict_loss"]) == {"threshold"}


def test_three_runs_rise_at_nearly_one_compute_too(threshold):
    # so they cannot tell loss from compute; models of more sizes can
    _, table = threshold
    by_run = table.groupby("run")["eta_flops"].first()
    assert by_run.max() / by_run.min() < 1.3


def test_the_curves_of_the_figure_leave_chance_at_their_threshold(threshold):
    figure, table = threshold
    left = figure.axes[0]
    assert not left.xaxis_inverted() or left.get_xlim()[0] > left.get_xlim()[1]
    lines = [line for line in left.lines if len(line.get_xdata()) > 100]
    assert len(lines) == 3
    for line, (_, eta) in zip(lines, table.groupby("run")["eta_loss"].first().items(), strict=True):
        x, y = (np.asarray(values) for values in (line.get_xdata(), line.get_ydata()))
        assert np.allclose(y[x >= eta], 0.25)
        assert (y[x < eta] > 0.25).all()


def test_performance_of_guessing_is_0_on_all_tasks():
    figure, table = figures.loss_view.performance()
    expected = (table["score"] - table["chance"]) / (1 - table["chance"])
    assert table["performance"].to_numpy() == pytest.approx(expected.to_numpy())
    assert table.groupby("family")["model"].nunique().to_dict() == {
        "OLMo ladder": 30,
        "OpenLM C4": 34,
        "OpenLM RedPajama": 35,
        "OpenLM RefinedWeb": 35,
    }
    assert all(ax.xaxis_inverted() for ax in figure.axes)
