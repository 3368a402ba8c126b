"""Exercises of the lesson on probabilistic regression."""

import numpy as np

from lessons_lib.exercises import Exercise, on

M, Y = np.array([-3.0, 0.5, 2.0, 8.0]), np.array([1.0, 0.2, -4.0, 7.5])

EXERCISES = [
    Exercise(
        "laplace_head",
        "where does k occur in the loss? Twice, and once inside an exponential.",
        {
            "The third slope is by b; by k the chain rule brings a factor b.": "1 - abs(r) / b -> (1 - abs(r) / b) / b",
            "log b is missing: without it the scale would grow without end.": "k + ->; 1 - abs(r) / b -> -abs(r) / b",
            "The slope by m must be divided by b.": "np.sign(r) / b -> np.sign(r)",
            "k is the logarithm of the scale, not the scale.": (
                "np.exp(k) -> k; k + abs(r) / b -> np.log(abs(k)) + abs(r) / k; 1 - abs(r) / b -> 1 / k - abs(r) / k**2"
            ),
            "The sign of the slope by k is wrong: with a large error the scale should grow.": (
                "1 - abs(r) -> -1 + abs(r)"
            ),
            "The slope by m has the wrong sign: r is prediction less target.": "np.sign(r) -> -np.sign(r)",
            "The slope by k lacks the 1 that comes from log b = k.": "1 - abs(r) -> -abs(r)",
            "At r = 0 that slope by m is 0 / 0.": "np.sign(r) -> r / abs(r)",
            "The slope by k needs |r|, not r.": "1 - abs(r) -> 1 - r",
            "That divides by exp(-k); the scale is exp(k).": "np.exp(k) -> np.exp(-k); 1 - abs -> 1 + abs",
        },
        on((M, np.array([0.3, -1.0, 2.0, 0.7]), Y), (np.append(M, 1.5), np.full(5, -0.5), np.append(Y, 1.5))),
        returns=3,
    ),
    Exercise(
        "with_hours",
        "what is the rate of all the hours together, and what is its logarithm?",
        {
            "The hours do not enter.": "np.exp(z) * hours -> np.exp(z); z + np.log(hours) -> z",
            "That scales the loss by the hours; the expected count is what they scale.": (
                "np.exp(z) * hours -> np.exp(z); expected - y * (z + np.log(hours)), expected - y ->"
                " hours * (expected - y * z), hours * (expected - y)"
            ),
            "That divides the count by the hours first: long and short times then weigh alike.": (
                "np.exp(z) * hours -> np.exp(z); expected - y * (z + np.log(hours)), expected - y ->"
                " expected - y / hours * z, expected - y / hours"
            ),
            "The slope is right. In the value the logarithm of the hours is missing.": "(z + np.log(hours)) -> z",
            "The hours are added to z as they are; take their logarithm.": (
                "np.exp(z) * hours -> np.exp(np.minimum(z + hours, 50)); np.log(hours) -> hours"
            ),
            "That slope is by the expected count; by z it has that count as a factor.": (
                ", expected - y -> , 1 - y / expected"
            ),
            "The value is right; its slope compares the count with the rate of one hour.": (
                ", expected - y -> , np.exp(z) - y"
            ),
            "In the value log hours has the wrong sign: log(hours * exp(z)) is a sum.": "z + np.log -> z - np.log",
            "The rate is divided by the hours; longer hours give more counts.": (
                "np.exp(z) * hours -> np.exp(z) / hours; z + np.log -> z - np.log"
            ),
            "The hours scale the rate, not its logarithm z.": (
                "np.exp(z) * hours -> np.exp(z * hours); z + np.log(hours) -> z * hours"
            ),
        },
        on(
            (np.array([-1.0, 0.5, 2.0]), np.array([0.5, 8.0, 24.0]), np.array([0.0, 9.0, 250.0])),
            (np.array([0.3, -6.0]), np.array([3.0, 900.0]), np.array([7.0, 1.0])),
        ),
        returns=2,
    ),
    Exercise(
        "weighted_slopes",
        "which slopes does the loss have without the factor, and what does a constant factor do to them?",
        {
            "The factor is missing.": "v**beta -> 1",
            "The slope by the variance differentiates the factor too; it is a constant.": (
                "(1 / v - r**2 / v**2) / 2 ->"
                " (1 / v - r**2 / v**2) / 2 + beta * v ** (beta - 1) * (np.log(v) + r**2 / v) / 2"
            ),
            "The slope by the mean is weighted, that by the variance is not.": ", v**beta * -> ,",
            "The exponent has the wrong sign.": "v**beta -> v**-beta",
            "The slope by the variance is weighted, that by the mean is not.": "v**beta * r -> r",
            "The factor is v to the power beta, not v itself.": "v**beta -> v",
            "The slope by the variance has the wrong sign: with a large error the variance should grow.": (
                "(1 / v - r**2 / v**2) -> (r**2 / v**2 - 1 / v)"
            ),
            "In the slope by the variance, r^2 is divided by v^2: the derivative of 1/v is -1/v^2.": "/ v**2 -> / v",
            "The slope by the variance lacks the 1/v that comes from log v.": "1 / v - r**2 -> -(r**2)",
            "The second slope is by the standard deviation; the variance is asked for.": ") / 2 -> ) * np.sqrt(v)",
        },
        on(
            *((M, np.array([0.5, 4.0, 9.0, 0.1]), Y, beta) for beta in (0.5, 1.0, 2.0)),
            (np.array([0.4, -2.0]), np.array([3.0, 0.2]), np.array([5.0, -2.1]), 0.3),
        ),
        returns=2,
    ),
]
