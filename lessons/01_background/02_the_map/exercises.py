"""Exercises of the lesson that is a map of losses and optimizers."""

from math import comb

import numpy as np

from lessons_lib.exercises import Exercise, on

EXERCISES = [
    Exercise(
        "waiting_loss",
        "minus the logarithm of p(y), with m = exp(z) put in.",
        {
            "The sign of log m is wrong: -log(1 / m) is + log m, and that is z.": "z + ratio, 1 - -> -z + ratio, -1 -",
            "The sign of y / m is wrong: -log of exp(-y / m) is + y / m.": (
                "z + ratio, 1 - ratio -> z - ratio, 1 + ratio"
            ),
            "The 1 / m in front is missing: it adds log m = z.": "z + ratio, 1 - ratio -> ratio, -ratio",
            "That divides by z; the mean is exp(z).": "y * np.exp(-z) -> y / z",
            "That multiplies by the mean: y / m has the power -z.": "np.exp(-z) -> np.exp(z)",
            "The slope by z of y exp(-z) is -y exp(-z): the y stays.": "1 - ratio -> 1 - np.exp(-z)",
            "The sign of the slope is wrong: a larger z costs 1 and saves y / m.": "1 - ratio -> ratio - 1",
            "That is the slope by m. By z it is m times as large.": "1 - ratio -> (1 - ratio) * np.exp(-z)",
            "That is p(y), and not yet minus its logarithm.": lambda z, y: (
                np.exp(-z - y * np.exp(-z)),
                1 - y * np.exp(-z),
            ),
            "The loss comes first, then its slope.": "z + ratio, 1 - ratio -> 1 - ratio, z + ratio",
        },
        on((0.7, 3.0), (-1.2, 0.4), (1.5, 9.0), (-0.3, 2.5)),
        returns=2,
    ),
    Exercise(
        "into_range",
        "stretch the sigmoid to the length of the range, then shift it.",
        {
            "That runs from low to low + high. The length of the range is high - low.": "(high - low) -> high",
            "Without the shift it begins at 0.": "low + (high - low) -> (high - low)",
            "It runs backwards: a larger z must give a larger prediction.": "-z -> z",
            "That is the sigmoid: the range is still from 0 to 1.": (
                "low + (high - low) / (1 + np.exp(-z)) -> 1 / (1 + np.exp(-z))"
            ),
            "Cut off, it has no slope outside of the range, and a model there cannot learn.": (
                lambda z, low, high: np.clip(z, low, high)
            ),
            "Cut off, the sigmoid stays in its own range: stretch it instead.": lambda z, low, high: np.clip(
                1 / (1 + np.exp(-z)), low, high
            ),
            "That is halfway down at low: at z = 0 the prediction is the middle of the range.": (
                "low + (high - low) -> low + 2 * (high - low)"
            ),
            "tanh runs from -1 to 1: with it the range is twice as long.": lambda z, low, high: (
                low + (high - low) * np.tanh(z)
            ),
            "The range is right, but tanh(z) is twice as steep as the sigmoid of z.": lambda z, low, high: (
                (low + high) / 2 + (high - low) / 2 * np.tanh(z)
            ),
        },
        on((0.0, 3.0, 8.0), (1.3, -20.0, 35.0), (-2.0, 5.0, 6.0), (0.4, -3.0, -1.0)),
    ),
    Exercise(
        "tries",
        "the probability that all k drawn rates are bad.",
        {
            "That is for drawing with replacement: here no rate is drawn twice.": lambda n, good, sure: int(
                max(1, np.ceil(np.log(1 - sure) / np.log(1 - good / n) - 1e-9))
            ),
            "That is how sure you are to draw a bad one. Wanted is at least one good rate.": (
                "comb(n - good, k) -> comb(good, k)"
            ),
            "One too few: there the probability is still below `sure`.": "return k -> return k - 1",
            "One too many: the smallest k is wanted.": "return k -> return k + 1",
            "That is the number after which one is certain. Less may do for `sure`.": lambda n, good, sure: (
                n - good + 1
            ),
            "You count draws with exactly one good rate. Two good ones will do as well.": lambda n, good, sure: next(
                (k for k in range(1, n) if good * comb(n - good, k - 1) / comb(n, k) >= sure), n
            ),
            "The probability without a good rate must fall to 1 - sure, not to `sure`.": (
                "1 - comb(n - good, k) / comb(n, k) < sure -> comb(n - good, k) / comb(n, k) > sure"
            ),
            "That expects one good rate on average; it may still be missing.": lambda n, good, sure: int(
                np.ceil(n / good)
            ),
        },
        on((21, 3, 0.9), (21, 7, 0.9), (4, 1, 0.2), (4, 1, 0.6), (12, 1, 0.95), (6, 5, 0.3), (8, 2, 0.99)),
    ),
]
