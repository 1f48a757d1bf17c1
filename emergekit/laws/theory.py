"""Laws that smooth theories of emergence hand out: tokens, concepts, quanta, random energies.

Each is the formula of one module of `emergekit.theory`, with the theory's own parameters, so that a
fit says which number of tokens or concepts, or which exponent, the data speak for. Laws of skills
that are learned on a graph are in `skill_graphs`, guarantees by loss in `guarantees`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from emergekit.laws.axis import Kind, ahead, axis_of, direction, place, variable_at
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line
from emergekit.laws.searching import best_starts, rising_law

__all__ = ["QUANTA", "composition_law", "exact_match_law", "random_energy_law"]

_LOG_FAR = np.log(1e12)


def exact_match(n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array) -> Array:
    r"""Return the exact match of targets of K tokens by models of N parameters.

    .. math:: s = \exp\left(-K (N / N_c)^{-\alpha}\right)

    Parameters
    ----------
    n_params, n_target_tokens : array
        Parameters N and target length K, counts.
    N_c : array
        Size at which the loss on the target is 1 nat per token.
    alpha : array
        Exponent of the loss.

    Returns
    -------
    array
        Between 0 and 1.

    References
    ----------
    Schaeffer et al. 2023, section 2 (there with the opposite sign of alpha).
    """
    return np.exp(-n_target_tokens * np.exp(-alpha * np.log(n_params / N_c)))


def exact_match_gradient(
    n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `exact_match` by N_c and alpha."""
    log = np.log(n_params / N_c)
    nats = n_target_tokens * np.exp(-alpha * log)
    # One exponential: the score underflows where the nats are many, and their product is 0.
    steep = np.exp(np.minimum(np.log(nats) - nats, 0.0))
    return -steep * alpha / N_c, steep * log


def exact_match_scale(
    along: str, response: Array, n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array
) -> Array:
    """Return the size, or the target length, at which `exact_match` gives the response."""
    require_variable(along, ("n_params", "n_target_tokens"), "exact_match")
    with np.errstate(all="ignore"):
        nats = -np.log(np.clip(response, 0.0, 1.0))
        if along == "n_target_tokens":
            return np.asarray(nats * np.exp(alpha * np.log(n_params / N_c)))
        return np.asarray(N_c * (nats / n_target_tokens) ** np.divide(-1.0, alpha))


def exact_match_guess(
    response: Array, n_params: Array, n_target_tokens: Array
) -> tuple[float, float]:
    """Return N_c and alpha by a line through the logarithms of the loss that scores imply."""
    inside = (response > 0) & (response < 1) & (n_target_tokens > 0) & (n_params > 0)
    nats = -np.log(response[inside]) / n_target_tokens[inside]
    intercept, slope = line(np.log(n_params[inside]), np.log(nats))
    return float(np.exp(-intercept / slope)), float(-slope)


def composition(
    x: Array, x0: Array, k: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> Array:
    r"""Return the success with n concepts at once, each a logistic curve.

    .. math:: s = c + (1 - c) \left(1 + e^{-k u}\right)^{-n}

    Parameters
    ----------
    x : array
        Variable; u is its distance past x0 (see `Axis`).
    x0, k : array
        Place and slope of one concept.
    n : array
        Number of concepts.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.
    chance : float
        Score of guessing c.

    Returns
    -------
    array
        Between chance and 1.

    References
    ----------
    Okawa et al. 2023 (from memory): compositions succeed with the product of their concepts.
    """
    success = np.exp(-n * np.logaddexp(0.0, -k * ahead(x, x0, axis)))
    return np.asarray(chance + (1 - chance) * success)


def composition_gradient(
    x: Array, x0: Array, k: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the derivatives of `composition` by x0, k and n."""
    u = ahead(x, x0, axis)
    failing = np.logaddexp(0.0, -k * u)
    success = (1 - chance) * np.exp(-n * failing)
    steep = n * success * expit(-k * u)
    return -direction(axis) * k * steep, u * steep, -failing * success


def composition_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    k: Array,
    n: Array,
    *,
    variable: str,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `composition` gives the response."""
    require_variable(along, (variable,), "composition")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)
        # -ln(s^(-1/n) - 1), by expm1 for shares near 1
        return variable_at(-np.log(np.expm1(-np.log(share) / n)) / k, x0, axis)


def composition_guess(
    response: Array, x: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the best of a grid of places, slopes and numbers of concepts."""
    at, span = place(x, axis), max(float(np.ptp(place(x, axis))), 1e-9)
    places = np.linspace(at.min() - 0.5 * span, at.max() + 0.5 * span, 25)
    grids = (places, np.array([2.0, 5, 10, 20, 40]) / span, np.array([1.0, 2, 4, 8, 20]))
    options = {"axis": axis, "chance": chance}
    return best_starts(Formula(composition, ("x",), tuple(options.items())), grids, response, x)


def random_energy(
    x: Array, x0: Array, k: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> Array:
    r"""Return how often the right one of very many answers scores best.

    .. math:: s = c + (1 - c) \exp\left(-\ln 2\, e^{-k u}\right)

    The largest of many Gaussian scores has a Gumbel distribution, whose place and width are x0 and
    1/k; derived as the limit of `random_energy_success` about its threshold.

    Parameters
    ----------
    x, x0, k : array
        Variable, place of the score one half, and slope there but for ln(2) / 2.
    axis, chance
        As in `composition`.

    Returns
    -------
    array
        Between chance and 1.

    References
    ----------
    Derrida 1981 for the picture; Gompertz's curve by its other name.
    """
    failing = np.log(2) * np.exp(np.minimum(-k * ahead(x, x0, axis), _LOG_FAR))
    return np.asarray(chance + (1 - chance) * np.exp(-failing))


def random_energy_gradient(
    x: Array, x0: Array, k: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the derivatives of `random_energy` by x0 and k."""
    u = ahead(x, x0, axis)
    failing = np.log(2) * np.exp(np.minimum(-k * u, _LOG_FAR))
    steep = (1 - chance) * failing * np.exp(-failing)
    return -direction(axis) * k * steep, u * steep


def random_energy_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    k: Array,
    *,
    variable: str,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `random_energy` gives the response."""
    require_variable(along, (variable,), "random_energy")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)
        return variable_at(-np.log(-np.log2(share)) / k, x0, axis)


def random_energy_guess(
    response: Array, x: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the best of a grid of places and slopes."""
    at, span = place(x, axis), max(float(np.ptp(place(x, axis))), 1e-9)
    grids = (
        np.linspace(at.min() - 0.3 * span, at.max() + 0.3 * span, 41),
        np.array([1.0, 2, 5, 10, 20, 40, 80]) / span,
    )
    options = {"axis": axis, "chance": chance}
    return best_starts(Formula(random_energy, ("x",), tuple(options.items())), grids, response, x)


def quanta(n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array) -> Array:
    r"""Return the loss of models that learn quanta of use in the order of their frequency.

    .. math:: L = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\alpha / (1 + \alpha)}}

    The Chinchilla law, but with one exponent: what data teach falls more slowly than what
    parameters hold, in a proportion that the theory fixes.

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D, counts.
    E, A, B, alpha : array
        Floor, coefficients and exponent of size.

    Returns
    -------
    array
        Nats per token.

    References
    ----------
    Michaud et al. 2023, section 2 (from memory), for each resource alone; that the two add up is
    the form of Hoffmann et al. 2022.
    """
    beta = alpha / (1 + alpha)
    return E + A * np.exp(-alpha * np.log(n_params)) + B * np.exp(-beta * np.log(n_tokens))


def quanta_gradient(
    n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `quanta` by E, A, B and alpha."""
    log_size, log_data = np.log(n_params), np.log(n_tokens)
    by_A, by_B = np.exp(-alpha * log_size), np.exp(-alpha / (1 + alpha) * log_data)
    by_alpha = -A * by_A * log_size - B * by_B * log_data / (1 + alpha) ** 2
    return np.ones_like(by_A * by_B), by_A, by_B, by_alpha


def quanta_scale(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
) -> Array:
    """Return the size, or the tokens, at which `quanta` gives the response; inf where none does."""
    require_variable(along, ("n_params", "n_tokens"), "quanta")
    with np.errstate(all="ignore"):
        beta = alpha / (1 + alpha)
        if along == "n_params":
            left, coefficient, exponent = response - E - B * n_tokens**-beta, A, alpha
        else:
            left, coefficient, exponent = response - E - A * n_params**-alpha, B, beta
        scale = (coefficient / np.where(left > 0, left, 1.0)) ** np.divide(1.0, exponent)
        return np.where(left > 0, scale, np.inf)


QUANTA = Law(
    name="quanta",
    variables=("n_params", "n_tokens"),
    response="loss",
    parameters=(
        Parameter("E", start=1.5, lower=0.0, scale="log", unit="nats/token"),
        Parameter("A", start=400.0, lower=0.0, scale="log"),
        Parameter("B", start=400.0, lower=0.0, scale="log"),
        Parameter("alpha", start=0.35, lower=0.0, upper=2.0),
    ),
    function=quanta,
    gradient=quanta_gradient,
    inverse=quanta_scale,
    objective="huber_log",
    reference="Michaud et al. 2023, section 2 (from memory), in the form of Hoffmann et al. 2022",
    formula="loss = E + A / n_params^alpha + B / n_tokens^(alpha / (1 + alpha))",
)


def exact_match_law(response: str = "score") -> Law:
    """Return the law of the Mirage model: exact match by model size and target length.

    Parameters
    ----------
    response : str
        Column.

    Returns
    -------
    Law
        With parameters N_c and alpha, in the columns n_params and n_target_tokens.

    Examples
    --------
    >>> exact_match_law().formula
    'score = exp(-n_target_tokens (n_params / N_c)^-alpha)'
    """
    return Law(
        name="exact_match",
        variables=("n_params", "n_target_tokens"),
        response=response,
        parameters=(
            Parameter("N_c", start=1e9, lower=1.0, upper=1e15, scale="log", unit="parameters"),
            Parameter("alpha", start=0.4, lower=0.0, upper=3.0),
        ),
        function=exact_match,
        gradient=exact_match_gradient,
        inverse=exact_match_scale,
        reference="Schaeffer, Miranda & Koyejo 2023, section 2, figure 2C",
        formula=f"{response} = exp(-n_target_tokens (n_params / N_c)^-alpha)",
        guess=Formula(exact_match_guess, ("response", "n_params", "n_target_tokens")),
    )


def composition_law(
    variable: str = "flops", response: str = "score", axis: Kind | None = None, chance: float = 0.0
) -> Law:
    """Return the law of multiplicative emergence: n concepts at once.

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None.
    chance : float
        Score of guessing, from 0 to below 1.

    Returns
    -------
    Law
        With parameters x0, k (of one concept) and n. One curve hardly tells n from x0; several
        compositions of one set of concepts do.

    Raises
    ------
    ValueError
        If chance is out of range.

    Examples
    --------
    >>> composition_law("n_params").formula
    'score = (1 + exp(-k (log10(n_params) - x0)))^-n'
    """
    where = axis_of(variable, axis)
    rise = f"(1 + exp(-k ({where.past('x0')})))^-n"
    parameters = (
        where.place("x0"),
        Parameter("k", start=2.0, lower=1e-3, upper=1e3, scale="log", unit=where.slope_unit),
        Parameter("n", start=3.0, lower=0.1, upper=1e3, scale="log", unit="concepts"),
    )
    parts = (composition, composition_gradient, composition_place, composition_guess)
    reference = "Okawa et al. 2023 (from memory)"
    return rising_law("composition", where, response, chance, parameters, parts, rise, reference)


def random_energy_law(
    variable: str = "flops", response: str = "score", axis: Kind | None = None, chance: float = 0.0
) -> Law:
    """Return the law of one right answer among exponentially many.

    Parameters
    ----------
    variable, response, axis, chance
        As in `composition_law`.

    Returns
    -------
    Law
        With parameters x0, where half of the rise is done, and k.

    Raises
    ------
    ValueError
        If chance is out of range.

    Examples
    --------
    >>> random_energy_law("loss").formula
    'score = exp(-ln(2) exp(-k (x0 - loss)))'
    """
    where = axis_of(variable, axis)
    rise = f"exp(-ln(2) exp(-k ({where.past('x0')})))"
    parameters = (
        where.place("x0"),
        Parameter("k", start=2.0, lower=1e-3, upper=1e4, scale="log", unit=where.slope_unit),
    )
    parts = (random_energy, random_energy_gradient, random_energy_place, random_energy_guess)
    reference = "Derrida 1981 (from memory); derived"
    return rising_law("random_energy", where, response, chance, parameters, parts, rise, reference)
