"""The published theories of emergence as pure functions of arrays; no tables here."""

from emergekit.theory import mirage
from emergekit.theory.adversary import simulate_adversary
from emergekit.theory.apparent import (
    apparent_threshold,
    models_in_rise,
    simulate_exact_match,
    size_at_score,
)
from emergekit.theory.association import (
    association_threshold,
    giant_component,
    giant_fraction,
    giant_learned,
)
from emergekit.theory.collapsing import (
    DataCollapse,
    collapse_quality,
    data_collapse,
    rescaled,
)
from emergekit.theory.compositions import (
    composed_success,
    composition_delay,
    composition_steepness,
    concept_success,
)
from emergekit.theory.compute_optimal import (
    ComputeOptimum,
    compute_optimal_sizes,
    concepts_learned,
    excess_entropy_bound,
    flops_of_compute,
    training_error,
)
from emergekit.theory.degrees import (
    DegreeDistribution,
    fixed_texts,
    irregular_skills,
    irregular_texts,
    poisson_texts,
    regular_skills,
)
from emergekit.theory.density_evolution import (
    LearningCurve,
    asymptotic_testing_error,
    learned_fraction,
    learning_curve,
    learning_rounds,
)
from emergekit.theory.finite_graphs import (
    JumpScaling,
    jump_probability,
    jump_scaling,
)
from emergekit.theory.finite_size import (
    Sharpening,
    binder_cumulant,
    crossings,
    is_sharpening,
    rise_widths,
    susceptibility,
)
from emergekit.theory.hierarchies import (
    ClassCurve,
    class_curve,
    compressed_bits,
    fine_tuned_curve,
    fine_tuned_threshold,
)
from emergekit.theory.ldpc import (
    BinomialDegrees,
    BpThreshold,
    RegularDegrees,
    bit_error,
    block_error,
    bp_threshold,
    finite_length_alpha,
)
from emergekit.theory.learner_thresholds import (
    CriticalPoint,
    critical_point,
    emergence_threshold,
    hysteresis_window,
    unlearned_at_threshold,
)
from emergekit.theory.learning_jumps import Transition, critical_prior, transition
from emergekit.theory.peeling import (
    Peeled,
    SimulatedLearning,
    peel,
    simulate_learning,
    understood_texts,
)
from emergekit.theory.percolation import (
    bipartite_giant,
    bipartite_threshold,
    random_graph_giant,
    simulate_bipartite_giant,
    simulate_random_graph_giant,
)
from emergekit.theory.quanta import (
    hutter_error,
    hutter_error_asymptotic,
    quanta_by_data,
    quanta_exponents,
    quanta_frequencies,
    quanta_loss,
    token_loss,
)
from emergekit.theory.random_energy import (
    random_energy_success,
    random_energy_threshold,
)
from emergekit.theory.skill_graphs import (
    SkillTextGraph,
    graph_from_edges,
    random_graph,
)
from emergekit.theory.skill_levels import (
    composed_accuracy,
    concept_pairs_needed,
    level_giant_fraction,
    level_weights,
    prerequisites,
    skill_edge_chance,
    skill_pair_chance,
)
from emergekit.theory.skill_tuples import (
    competence,
    tuple_coverage_bound,
    tuple_failure,
    tuple_performance_curve,
    unseen_share,
)
from emergekit.theory.skills import max_alpha, performance_curve
from emergekit.theory.slingshot import (
    chinchilla_competence,
    chinchilla_excess,
    failure_from_excess,
)

__all__ = [  # noqa: RUF022  pipeline order says more than the alphabet
    "mirage",
    "max_alpha",
    "performance_curve",
    "tuple_failure",
    "tuple_performance_curve",
    "competence",
    "tuple_coverage_bound",
    "unseen_share",
    "chinchilla_excess",
    "failure_from_excess",
    "chinchilla_competence",
    "simulate_adversary",
    "DegreeDistribution",
    "poisson_texts",
    "fixed_texts",
    "irregular_texts",
    "regular_skills",
    "irregular_skills",
    "learning_curve",
    "LearningCurve",
    "learned_fraction",
    "learning_rounds",
    "asymptotic_testing_error",
    "transition",
    "Transition",
    "critical_prior",
    "emergence_threshold",
    "unlearned_at_threshold",
    "hysteresis_window",
    "critical_point",
    "CriticalPoint",
    "fine_tuned_curve",
    "fine_tuned_threshold",
    "class_curve",
    "ClassCurve",
    "compressed_bits",
    "SkillTextGraph",
    "random_graph",
    "graph_from_edges",
    "peel",
    "Peeled",
    "understood_texts",
    "simulate_learning",
    "SimulatedLearning",
    "jump_scaling",
    "JumpScaling",
    "jump_probability",
    "giant_component",
    "giant_fraction",
    "giant_learned",
    "association_threshold",
    "apparent_threshold",
    "models_in_rise",
    "simulate_exact_match",
    "size_at_score",
    "BinomialDegrees",
    "BpThreshold",
    "RegularDegrees",
    "bit_error",
    "block_error",
    "bp_threshold",
    "finite_length_alpha",
    "ComputeOptimum",
    "compute_optimal_sizes",
    "concepts_learned",
    "excess_entropy_bound",
    "flops_of_compute",
    "training_error",
    "composed_accuracy",
    "concept_pairs_needed",
    "level_giant_fraction",
    "level_weights",
    "prerequisites",
    "skill_edge_chance",
    "skill_pair_chance",
    "composed_success",
    "composition_delay",
    "composition_steepness",
    "concept_success",
    "hutter_error",
    "hutter_error_asymptotic",
    "quanta_by_data",
    "quanta_exponents",
    "quanta_frequencies",
    "quanta_loss",
    "token_loss",
    "bipartite_giant",
    "bipartite_threshold",
    "simulate_bipartite_giant",
    "simulate_random_graph_giant",
    "random_graph_giant",
    "random_energy_success",
    "random_energy_threshold",
    "Sharpening",
    "binder_cumulant",
    "crossings",
    "is_sharpening",
    "rise_widths",
    "susceptibility",
    "DataCollapse",
    "collapse_quality",
    "data_collapse",
    "rescaled",
]
