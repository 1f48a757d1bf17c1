import inspect
import pickle

import numpy as np
import pandas as pd
import pytest

from emergekit import laws
from emergekit.laws.axis import ahead, axis_of, variable_at
from emergekit.laws.formula import Formula, bisected


def scaled(*arguments, by=1.0):
    return by * arguments[0]


def test_a_formula_has_the_names_it_is_given_and_calls_by_position():
    formula = Formula(scaled, ("flops", "c"), (("by", 3.0),))
    assert tuple(inspect.signature(formula).parameters) == ("flops", "c")
    assert formula(2.0, 5.0) == 6.0
    assert formula.__name__ == "scaled"


def test_a_formula_equals_its_pickled_copy_and_no_other():
    formula = Formula(scaled, ("flops", "c"), (("by", 3.0),))
    again = pickle.loads(pickle.dumps(formula))
    assert again == formula
    assert inspect.signature(again) == inspect.signature(formula)
    assert formula != Formula(scaled, ("loss", "c"), (("by", 3.0),))
    assert hash(again) == hash(formula)


@pytest.mark.parametrize("names", [("loss", "loss"), ("training flops", "b")])
def test_a_column_that_cannot_be_an_argument_is_named(names):
    with pytest.raises(ValueError, match=f"cannot have the arguments '{names[0]}'"):
        Formula(scaled, names)


def test_a_law_with_a_parameter_named_like_its_variable_is_refused():
    with pytest.raises(ValueError, match="arguments 'b', 'b', 'c': duplicate"):
        laws.power_law("b")


def test_bisection_finds_roots_of_rising_and_falling_functions_alike():
    low, high = np.zeros(3), np.array([10.0, 10.0, 1.0])
    target = np.array([2.0, 7.0, 3.0])
    for sign in (1, -1):
        found = bisected(lambda x, s=sign: s * (x**3 - target**3), low, high)
        np.testing.assert_allclose(found[:2], target[:2], rtol=1e-14)
        assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        (
            "falling",
            "loss loss_c4 val_loss train_loss eval/loss Loss log_loss cross_entropy "
            "cross_entropy_c4 crossentropy xent val_ce nll token_nll nll_pile neg_log_likelihood "
            "bits_per_byte wikitext_bits_per_byte bpb c4_bpb bits-per-character log_perplexity",
        ),
        ("falling_log10", "perplexity ppl word_perplexity lambada_openai_ppl ppl_c4"),
        (
            "log10",
            "flops n_params n_tokens n_loss_tokens num_loss n_loss lossless closs glossary "
            "tokens_per_byte step source balance bits ability",
        ),
    ],
)
def test_the_kind_of_an_axis_follows_from_the_name_of_its_variable(kind, variables):
    for variable in variables.split():
        assert axis_of(variable, None).kind == kind, variable
        assert axis_of(variable, "rising").kind == "rising"


def test_places_and_slopes_have_the_unit_of_their_axis():
    units = {
        name: (axis_of(name, None).unit, axis_of(name, None).slope_unit)
        for name in ("n_params", "val_loss", "nll", "c4_bpb", "ppl")
    }
    assert units == {
        "n_params": ("log10 n_params", "1/decade"),
        "val_loss": ("nats/token", "1/nat"),
        "nll": ("nats", "1/nat"),
        "c4_bpb": ("bits/byte", "1/bit"),
        "ppl": ("log10 ppl", "1/decade"),
    }
    assert (axis_of("ability", "rising").unit, axis_of("ability", "rising").slope_unit) == ("", "")


def test_a_law_of_perplexity_is_the_one_of_its_logarithm():
    loss = np.linspace(1.0, 4.0, 9)
    params = {"low": 0.2, "high": 0.9, "x0": 2.5, "k": 3.0}
    decade = np.log(10)
    by_perplexity = params | {"x0": 2.5 / decade, "k": 3.0 * decade}
    np.testing.assert_allclose(
        laws.logistic("ppl").predict({"ppl": np.exp(loss)}, by_perplexity),
        laws.logistic("loss").predict({"loss": loss}, params),
        rtol=1e-12,
    )
    assert laws.logistic("ppl").formula.endswith("exp(-k (x0 - log10(ppl))))")
    assert laws.exponential("ppl").formula == "error = eps - k exp(-gamma log10(ppl))"


def test_an_unknown_axis_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="Unknown axis 'log'; did you mean 'log10'"):
        laws.logistic("flops", axis="log")


@pytest.mark.parametrize(
    ("kind", "x", "x0"), [("log10", 1e21, 20), ("falling", 2.0, 3.0), ("falling_log10", 10.0, 2.0)]
)
def test_better_models_lie_ahead_and_can_be_found_there(kind, x, x0):
    u = ahead(np.array([x]), np.asarray(x0), kind)
    assert u[0] == pytest.approx(1.0)
    np.testing.assert_allclose(variable_at(u, np.asarray(x0), kind), x)


def test_a_law_without_a_guess_keeps_its_starts():
    assert laws.CHINCHILLA.started_at(pd.DataFrame({"loss": [2.0]})) is laws.CHINCHILLA


def test_a_guess_reads_the_rows_and_passes_over_empty_cells():
    flops = np.array([1e18, 1e20, np.nan, 1e22])
    table = pd.DataFrame({"flops": flops, "bpb": 7.0 * flops**-0.1})
    started = laws.power_law(response="bpb").started_at(table)
    assert [p.start for p in started.parameters] == pytest.approx([7.0, 0.1])
    assert started.function == laws.power_law(response="bpb").function


def test_a_guess_that_has_no_value_leaves_the_start():
    table = pd.DataFrame({"flops": [1e20, 1e20], "loss": [2.0, 3.0]})
    assert laws.power_law().started_at(table) == laws.power_law()


def test_a_guess_outside_the_bounds_moves_onto_them():
    table = pd.DataFrame({"flops": [1e20, 1e21], "loss": [2.0, 3.0]})
    assert laws.power_law().started_at(table).parameters[1].start == 0.0


def test_a_guess_may_give_rival_starts_the_best_first():
    loss = np.linspace(2, 3.5, 20)
    table = pd.DataFrame({"loss": loss, "score": np.maximum(2.7 - loss, 0)})
    rivals = laws.hinge().rivals(table)
    assert len(rivals) == 8
    assert laws.hinge().started_at(table) == rivals[0]
    assert rivals[0].parameters[2].start == pytest.approx(2.7, abs=0.05)


def one_guess(wrong, flops):
    return (1.0,)


def test_a_law_checks_the_arguments_of_its_guess():
    law = laws.power_law()
    with pytest.raises(ValueError, match="arguments of a guess are response, flops"):
        laws.Law(
            law.name,
            law.variables,
            law.response,
            law.parameters,
            law.function,
            law.gradient,
            guess=one_guess,
        )
