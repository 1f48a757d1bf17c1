import numpy as np
import pytest
from scipy.stats import binom

import emergekit as ek
from emergekit.emergence import WORLDS, World, confusion_matrix, simulate_world
from emergekit.tables import RESULTS
from tests.contracts import check_table
from tests.emergence.simulation.discoveries import discoveries

SMOOTH = [name for name, world in WORLDS.items() if world.truth != "genuine"]
BROKEN = [name for name, world in WORLDS.items() if world.truth == "genuine"]


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_makes_results_that_can_be_judged(name):
    table = simulate_world(name, n_scales=8, n_items=100, n_tasks=2)
    check_table(table, RESULTS)
    verdicts = ek.mirage_test(table, x="flops")
    assert len(verdicts) == 2
    assert verdicts["continuous"].notna().all()
    assert verdicts["kind"].eq(WORLDS[name].kind).all()


def test_worlds_are_what_they_say():
    em = simulate_world("em K=10", n_scales=6, n_items=20_000, scatter=0.0)
    loss = em.loc[em["metric"] == "token_nll", "score"].to_numpy()
    x = np.log10(em["flops"].to_numpy()[:6])
    # Difficulty has mean 1, log-normal noise of 0.3 has mean exp(0.045).
    assert loss / np.exp(0.045) == pytest.approx(3 * 10 ** (-0.25 * (x - 18)), rel=0.03)
    mc = simulate_world("mc flat", n_scales=6, n_items=20_000)
    sharp = mc.loc[mc["metric"] == "multiple_choice_grade", "score"]
    assert sharp.to_numpy() == pytest.approx(np.full(6, 0.25), abs=0.02)
    hinge = WORLDS["mc hinge"]
    assert (hinge.level(np.array([18.0, 21.0])) == 0).all()
    assert hinge.level(np.array([24.0])) == 3.0


def test_a_seed_is_a_table_and_another_is_another():
    one, same, other = (simulate_world("mc hinge", seed=seed)["score"] for seed in (0, 0, 1))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_world_of_ones_own_can_be_simulated():
    world = World("smooth", "em", np.zeros_like, n_tokens=3)
    table = simulate_world(world, n_scales=5)
    assert (table.loc[table["metric"] == "exact_match", "score"] == 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"world": "em K=11"}, "Unknown world 'em K=11'; did you mean"),
        ({"world": "mc flat", "n_scales": 0}, "start at 1"),
        ({"world": "mc flat", "scatter": -1.0}, "scatter at 0"),
    ],
)
def test_worlds_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate_world(**options)


def test_false_thresholds_are_rare_and_none_is_found_in_five_scales():
    few = confusion_matrix(SMOOTH, [5], [200], [0.05], n_tasks=1)
    assert few["genuine"].sum() == 0
    table = confusion_matrix(SMOOTH, [8, 12], [200], [0.05], n_tasks=3)
    n, found = int(table["n_tasks"].sum()), int(table["genuine"].sum())
    # At a true rate of 5 %, more than this is seen once in a thousand runs.
    assert found <= binom.ppf(0.999, n, 0.05), table[table["genuine"] > 0]


def test_mirages_and_thresholds_with_quiet_models_are_found():
    table = confusion_matrix(["em K=10", "em root hinge K=3"], [12], [200], [0.02], n_tasks=8)
    assert table["mirage"].iloc[0] >= 7
    assert table["genuine"].iloc[1] >= 7


# Worlds that nobody looked at while the rules were settled.


def with_a_floor(x):
    return 0.08 + 2.5 * 10 ** (-0.3 * (x - 18))


def falling_sigmoid(x):
    return 0.05 + 2.5 / (1 + np.exp((x - 21) / 0.7))


def soft_ramp(x):
    return 0.8 * np.logaddexp(0, (x - 21.5) / 0.6)


def slow_start(x):
    return 2.5 * np.exp(-np.exp(-(x - 21.5) / 0.9))


def hinge_in_the_margin(x):
    return 0.9 * np.maximum(x - 21.5, 0)


NEW = {
    "floor": World("mirage", "em", with_a_floor, n_tokens=8),
    "falling sigmoid": World("mirage", "em", falling_sigmoid, n_tokens=4),
    "soft ramp": World("mirage", "mc", soft_ramp),
    "slow start": World("mirage", "mc", slow_start),
    "late hinge": World("genuine", "mc", hinge_in_the_margin),
}


@pytest.mark.slow
def test_rates_hold_on_worlds_that_the_rules_were_not_made_on():
    table = confusion_matrix(NEW, [5, 8, 12, 20], [200, 1000], n_tasks=10, engine="processes")
    smooth = table[(table["truth"] != "genuine") & (table["n_scales"] >= 8)]
    n, found = int(smooth["n_tasks"].sum()), int(smooth["genuine"].sum())
    assert found <= binom.ppf(0.999, n, 0.05)
    assert table.loc[table["n_scales"] < 8, "genuine"].sum() == 0


@pytest.mark.slow
def test_rates_over_all_worlds():
    table = confusion_matrix(n_tasks=5, engine="processes")
    smooth = table[(table["truth"] != "genuine") & (table["n_scales"] >= 8)]
    assert smooth["genuine"].sum() / smooth["n_tasks"].sum() <= 0.05
    assert table.loc[table["n_scales"] < 8, "genuine"].sum() == 0
    broken = table[table["truth"] == "genuine"]
    assert broken["mirage"].sum() / broken["n_tasks"].sum() <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("n_scales", "power"), [(8, 0.0), (12, 0.3), (20, 0.6)])
def test_false_discoveries_over_sixty_tasks_stay_within_the_level(n_scales, power):
    # mirage_test.md, section 3: realised rate 0, 0 and 1.3 %, power 0, 62 and 93 %.
    found, wrong, missed = discoveries(n_scales, seed=0)
    assert wrong <= binom.ppf(0.999, max(found, 1), 0.05)
    assert (found - wrong) / (found - wrong + missed) >= power
