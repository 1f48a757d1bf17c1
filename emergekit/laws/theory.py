"""The laws that theories of emergence hand out, with the theories' own parameters.

Each is the formula of a module of `emergekit.theory`, so that a fit says which number of skills or
tokens, or which exponent, the data speak for. Theories without one:

- Compute-optimal sizes (Nayak & Varshney): at large budgets they are `optimal_power_law` with the
  exponent one half; below, they are the outcome of a search, not a formula.
- Plateaus of composed accuracy (Nayak & Varshney): a sum over a hundred levels, whose edges need
  whole numbers of concepts, with more numbers to choose than a curve can tell. One level of it is
  `giant_component_law`.
- Foundation and fine-tuned models (Liao, Chang & Hong): a domain is learned as alone, from fewer
  texts, so they are `learner_law` with another x0; `theory.fine_tuned_threshold` has the shift.
- Hysteresis, classes of skills, peeling and finite-size statistics: they speak of runs and graphs,
  not of one score by one scale.
"""

from __future__ import annotations

from emergekit.laws.bipartite import bipartite_law
from emergekit.laws.compositions import composition_law, exact_match_law
from emergekit.laws.guarantees import skill_guarantee_law
from emergekit.laws.percolation import giant_component_law
from emergekit.laws.quanta import QUANTA, hutter_law
from emergekit.laws.random_energy import random_energy_law
from emergekit.laws.skill_graphs import learner_law

__all__ = [  # noqa: RUF022  smooth ones, then those with a corner or a jump, then the guarantee
    "QUANTA",
    "hutter_law",
    "exact_match_law",
    "composition_law",
    "random_energy_law",
    "learner_law",
    "giant_component_law",
    "bipartite_law",
    "skill_guarantee_law",
]
