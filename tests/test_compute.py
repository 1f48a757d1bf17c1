import numpy as np
import pytest

from emergekit.compute import run


def square(item):
    return item**2


def draw(item, rng):
    return item + rng.standard_normal()


def fail_at_two(item):
    if item == 2:
        raise ValueError("two is bad")
    return item


def test_results_keep_the_order_of_the_items():
    assert run(square, range(5)) == [0, 1, 4, 9, 16]
    assert run(square, []) == []


def test_every_engine_gives_equal_numbers_for_one_seed():
    serial = run(draw, range(8), seed=7)
    assert run(draw, range(8), engine="processes", n_workers=2, seed=7) == serial
    assert run(draw, range(8), seed=8) != serial


def test_an_item_draws_the_same_whatever_comes_after_it():
    assert run(draw, range(3), seed=1) == run(draw, range(8), seed=1)[:3]


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_failure_names_its_item(engine):
    with pytest.raises(ValueError, match="two is bad") as caught:
        run(fail_at_two, [0, 1, 2], engine=engine, n_workers=2)
    notes = getattr(caught.value, "__notes__", [])
    assert any("item 2" in note for note in notes) or engine == "processes"


def test_an_unknown_engine_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'processes'"):
        run(square, [1], engine="process")


def test_no_bar_is_drawn_away_from_a_terminal(capsys):
    run(square, range(3), progress="squaring")
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_numbers_do_not_depend_on_the_callers_generator():
    np.random.default_rng(0).standard_normal()
    assert run(draw, [0], seed=3) == run(draw, [0], seed=3)


def test_without_a_client_the_dask_engine_says_what_to_do():
    pytest.importorskip("dask.distributed", reason="the extra 'distributed' is not installed")
    with pytest.raises(ValueError, match="open one first"):
        run(square, [1], engine="dask")
