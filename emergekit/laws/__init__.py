"""Scaling and emergence laws: formulas with named parameters, for `ek.fit`.

Laws of fixed columns are constants (`CHINCHILLA`); laws with a choice, of a column or of a number
of breaks, are functions that return the law (``broken_power_law(n_breaks=2)``). `LAWS` holds one
of each.
"""

from __future__ import annotations

from emergekit.laws.broken import broken_power_law
from emergekit.laws.chinchilla import CHINCHILLA
from emergekit.laws.compute_optimal import optimal_power_law
from emergekit.laws.decays import exponential
from emergekit.laws.direct import direct_law
from emergekit.laws.finetuning import emergence_law
from emergekit.laws.formula import Formula
from emergekit.laws.humps import inverted_u_shaped, u_shaped
from emergekit.laws.kaplan import KAPLAN
from emergekit.laws.law import Law, Parameter
from emergekit.laws.multiplicative import multiplicative_law
from emergekit.laws.overtraining import OVERTRAINING
from emergekit.laws.polynomials import linear, quadratic
from emergekit.laws.power import m1, m2, offset_power_law, power_law
from emergekit.laws.repetition import REPETITION
from emergekit.laws.saturating import m3, m4
from emergekit.laws.sigmoids import chance_logistic, logistic
from emergekit.laws.theory import (
    QUANTA,
    bipartite_law,
    composition_law,
    exact_match_law,
    giant_component_law,
    hutter_law,
    learner_law,
    random_energy_law,
    skill_guarantee_law,
)
from emergekit.laws.thresholds import hinge, power_hinge, softplus_hinge, step
from emergekit.laws.tying import tied

__all__ = [  # noqa: RUF022  losses of one variable, of several, scores, optima, theories
    "LAWS",
    "Law",
    "Parameter",
    "Formula",
    "power_law",
    "offset_power_law",
    "m1",
    "m2",
    "m3",
    "m4",
    "broken_power_law",
    "CHINCHILLA",
    "KAPLAN",
    "OVERTRAINING",
    "REPETITION",
    "multiplicative_law",
    "linear",
    "quadratic",
    "logistic",
    "chance_logistic",
    "exponential",
    "direct_law",
    "hinge",
    "power_hinge",
    "softplus_hinge",
    "step",
    "u_shaped",
    "inverted_u_shaped",
    "emergence_law",
    "optimal_power_law",
    "QUANTA",
    "hutter_law",
    "exact_match_law",
    "composition_law",
    "random_energy_law",
    "learner_law",
    "giant_component_law",
    "bipartite_law",
    "skill_guarantee_law",
    "tied",
]

LAWS = (
    power_law(),
    offset_power_law(),
    m1(),
    m2(),
    m3(),
    m4(),
    broken_power_law(n_breaks=1),
    broken_power_law(n_breaks=2),
    CHINCHILLA,
    KAPLAN,
    OVERTRAINING,
    REPETITION,
    multiplicative_law(),
    linear(),
    quadratic("flops"),
    logistic(),
    logistic("loss"),
    chance_logistic(chance=0.25),
    chance_logistic("loss", chance=0.25),
    exponential(),
    exponential("flops"),
    direct_law(chance=0.25),
    direct_law(("flops",)),
    hinge(),
    hinge("flops"),
    power_hinge(),
    softplus_hinge(),
    step(),
    u_shaped(),
    inverted_u_shaped(),
    emergence_law(),
    optimal_power_law("n_params"),
    optimal_power_law("n_tokens"),
    QUANTA,
    hutter_law(),
    exact_match_law(),
    composition_law(),
    composition_law("loss", chance=0.25),
    random_energy_law(),
    learner_law(),
    learner_law(measure="understood"),
    giant_component_law(),
    bipartite_law(properties_per_entity=2.5),
    skill_guarantee_law(),
)
