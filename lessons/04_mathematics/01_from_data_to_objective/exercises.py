"""Exercises of the lesson from data to an objective."""

import numpy as np
from scipy.stats import binom  # noqa: F401, a solution uses it

from lessons_lib.exercises import Exercise, on
from lessons_lib.losses import binary_cross_entropy  # noqa: F401, a solution uses it

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
THETA = np.array([0.7, -1.3, 2.0])

EXERCISES = [
    Exercise(
        "carry",
        "the last row of the table: weight_decay is 1 / (N tau^2).",
        {
            "That is the square of tau.": "np.sqrt(w * N) -> (w * N)",
            "That factor belongs to the squared parameters. weight_decay is twice as large.": (
                "np.sqrt(w * N) -> np.sqrt(2 * w * N)"
            ),
            "Upside down: a large weight_decay means a narrow prior.": "1 / np.sqrt(w * N) -> np.sqrt(w * N)",
            "In tau the number of examples is missing: w alone is no belief.": "w * N), -> w),",
            "The same weight_decay is another belief once M is not N.": "w * N / M -> w",
            "Upside down: with more examples, each of them needs a smaller share of the prior.": (
                "w * N / M -> w * M / N"
            ),
            "The square root belongs to tau. weight_decay falls as 1 / N.": "w * N / M -> w * np.sqrt(N / M)",
            "tau does not change with the data that come later: use N, not M.": "w * N), -> w * M),",
            "Return tau first, then the new weight_decay.": (
                "1 / np.sqrt(w * N), w * N / M -> w * N / M, 1 / np.sqrt(w * N)"
            ),
        },
        on((0.01, 50, 500), (0.3, 7, 20), (1e-4, 10_000, 300)),
        returns=2,
    ),
    Exercise(
        "minus_log_posterior",
        "the mean of the losses, and a share of the prior.",
        {
            "The prior is not divided by N: it would count once for each example.": (
                "(2 * N * tau**2) -> (2 * tau**2); (N * tau**2) -> tau**2"
            ),
            "The value's prior lacks the 2 in its denominator.": "(2 * N * tau**2) -> (N * tau**2)",
            "The slope of theta^2 is 2 theta, which cancels the 2 of the value.": (
                "theta / (N * tau**2) -> theta / (2 * N * tau**2)"
            ),
            "The prior has the variance, tau squared.": "(2 * N * tau**2) -> (2 * N * tau); (N * tau**2) -> (N * tau)",
            "The losses are added up. Take their mean.": (
                "loss.value.mean() -> loss.value.sum(); loss.grad / N -> loss.grad"
            ),
            "The prior is missing: that is maximum likelihood.": (
                "+ theta @ theta / (2 * N * tau**2) ->; + theta / (N * tau**2) ->"
            ),
            "The prior pulls towards 0: in the gradient its sign is that of theta.": "/ N + theta -> / N - theta",
            "The gradient of the losses is a sum over examples. Divide it by N, as the value.": (
                "loss.grad / N -> loss.grad"
            ),
            "The prior of many parameters adds up their squares, not the parameters.": (
                "theta @ theta / -> theta.sum() ** 2 /"
            ),
            "Return the value first, then the gradient.": (
                "return value, x.T @ loss.grad / N + theta / (N * tau**2) -> "
                "return x.T @ loss.grad / N + theta / (N * tau**2), value"
            ),
        },
        on((THETA, X, Y, 0.6), (-THETA, X[:4], Y[:4], 1.7)),
        returns=2,
    ),
    Exercise(
        "best_of",
        "the smallest count is larger than j if all K counts are.",
        {
            "That is a single coin: raise the probabilities to the power K.": "more**K -> more",
            "That is the number of wrong answers. Wanted is their share.": "/ n -> ",
            "That is the worst of them: all counts must be larger, not one of them.": "more**K -> (1 - (1 - more)**K)",
            "The count of 0 belongs to the sum: begin with more than 0 times.": "np.arange(n) -> np.arange(1, n)",
            "K multiplies nothing: independent coins, so their probabilities are multiplied.": "more**K -> K * more",
            "That takes the power of the sum. Each probability has its own.": (
                "np.sum(more**K) / n -> (np.sum(more) / n) ** K"
            ),
            "You sum the probabilities of at most j. Wanted are those of more than j.": "binom.sf -> binom.cdf",
            "You sum the probabilities of at least j. Wanted are those of more than j.": (
                "np.arange(n) -> np.arange(n) - 1"
            ),
            "The probability of exactly j is binom.pmf. Here more than j is needed.": "binom.sf -> binom.pmf",
        },
        on((100, 100, 0.5), (1, 20, 0.3), (7, 12, 0.2), (30, 50, 0.12)),
    ),
]
