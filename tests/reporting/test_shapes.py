import numpy as np
import pandas as pd

from emergekit import Tables, report
from emergekit.emergence import curve_shapes
from emergekit.reporting.shapes import best_scale, direction_notes, sound_curves


def test_the_scale_that_tells_most_scores_apart_is_taken(grid):
    table = grid(tasks=["t", "u"])
    table["flops"] = table["n_params"] * 6e9
    assert best_scale(table, [])[1] == "n_params"  # of equals, the first
    table.loc[table["task"] == "t", "n_params"] = np.nan
    notes = []
    known, x = best_scale(table, notes)
    assert (x, len(known), notes) == ("flops", 8, [])
    table["n_params"] = 1e9  # the same everywhere: tells nothing apart
    assert best_scale(table, [])[1] == "flops"
    assert best_scale(table.drop(columns="flops"), [])[1] is None


def test_scores_without_the_scale_are_noted(grid):
    table = grid()
    table.loc[0, "n_params"] = np.nan
    notes = []
    known, _ = best_scale(table, notes)
    assert len(known) == 3
    assert notes[0][3] == "1 of 4 scores have no n_params and are in no curve"


def test_one_bad_curve_is_a_note_and_the_others_are_reported(grid, tmp_path):
    table = grid(tasks=["good", "twice"])
    extra = table[table["task"] == "twice"].head(1).assign(model="twin")
    table = pd.concat([table, extra], ignore_index=True)
    notes = []
    scores, refused = sound_curves(table, "n_params", notes)
    assert set(scores["task"]) == {"good"}
    ((rows, message),) = refused
    assert set(rows["task"]) == {"twice"}
    assert "twin" in message
    assert [note[:3] for note in notes] == [("error", "", "curve")]
    page = report(Tables(results=table), tmp_path)
    (error,) = page.errors
    assert error.startswith("1 curve could not be described: ")
    assert "twin" in error


def test_shapes_come_out_the_same_one_by_one(grid):
    table = grid(tasks=["t", "u"], families=["f", "g"], run=None)
    whole = curve_shapes(sound_curves(table, "n_params", [])[0])
    broken = pd.concat([table, grid(tasks=["v"]), grid(tasks=["v"])], ignore_index=True)
    single = curve_shapes(sound_curves(broken, "n_params", [])[0])
    shared = [name for name in whole if name in single]
    pd.testing.assert_frame_equal(whole[shared], single[shared])


def test_an_unknown_direction_is_noted(grid):
    table = grid(metrics=["acc", "word_perplexity", "elo"])
    (note,) = direction_notes(table)
    assert "elo" in note[3]
    assert "--constant higher_is_better=false" in note[3]
    assert direction_notes(table.assign(higher_is_better=True)) == []
