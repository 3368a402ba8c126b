"""Exercises of the lesson on one classifier with two losses."""

import numpy as np

from lessons_lib.exercises import Exercise, on
from lessons_lib.losses import cross_entropy  # noqa: F401 - the solution of `tunable` uses it

P = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.02, 0.9, 0.08], [0.25, 0.35, 0.4]])
FOUR = np.array([[0.05, 0.15, 0.5, 0.3], [0.7, 0.1, 0.15, 0.05]])
Z = np.array([[2.0, -1.0, 0.5], [0.3, 0.1, -2.0], [-3.0, 4.0, 1.0]])


EXERCISES = [
    Exercise(
        "times_as_hard",
        "the pull of cross-entropy is 1 - p, that of squared error 2 p b, with the p of the label.",
        {
            "Upside down: the pull of cross-entropy stands above.": (
                "(1 - label) / (2 * label * b) -> (2 * label * b) / (1 - label)"
            ),
            "That is one over the bound 4 p, not the pull itself: put in the loss b.": "2 * label * b -> 4 * label",
            "The pull of squared error has the factor p of the label.": "2 * label * b -> 2 * b",
            "The derivative of the square gives a factor 2.": "2 * label * b -> label * b",
            "Your b is the label's part only; the other classes are missing.": (
                "1 - 2 * label + (p**2).sum(axis=1) -> (1 - label) ** 2"
            ),
            "That is the b of the picture, with one other class. Here are several: sum their squares.": (
                "1 - 2 * label + (p**2).sum(axis=1) -> 2 * (1 - label) ** 2"
            ),
            "The label's own square is counted twice in your b.": (
                "1 - 2 * label + (p**2).sum(axis=1) -> (1 - label) ** 2 + (p**2).sum(axis=1)"
            ),
            "Sum over the classes of each example, not over everything.": "(p**2).sum(axis=1) -> (p**2).sum()",
            "You took the most probable class; the label decides.": "p[np.arange(len(k)), k] -> p.max(-1)",
        },
        on((P, np.array([0, 1, 2, 0])), (FOUR, np.array([3, 1]))),
    ),
    Exercise(
        "tunable",
        "write the power as exp(-q times the cross-entropy), then use the chain rule.",
        {
            "The value is divided by q.": "(1 - power) / q -> 1 - power",
            "The q of the chain rule cancels the q of the division.": (
                "power[:, None] * grad -> q * power[:, None] * grad"
            ),
            "That is the slope of cross-entropy: the power is missing.": "power[:, None] * grad -> grad",
            "The slope has the power q of the probability, not the probability itself.": (
                "power[:, None] * grad -> np.exp(-value)[:, None] * grad"
            ),
            "The power q - 1 is the slope by the probability; softmax brings one more factor p.": (
                "power[:, None] * grad -> np.exp((1 - q) * value)[:, None] * grad"
            ),
            "The slope is by the scores, and its sign is that of cross-entropy.": (
                "power[:, None] * grad -> -power[:, None] * grad"
            ),
            "Power q, not 1 / q.": "-q * value -> -value / q",
            "The exponent's sign: a probability is exp of minus the cross-entropy.": "-q * value -> q * value",
        },
        on((Z, np.array([1, 0, 2]), 0.7), (Z, np.array([0, 2, 0]), 0.1), (Z[:2], np.array([2, 1]), 1.0)),
        returns=2,
    ),
    Exercise(
        "true_misses",
        "write down when a prediction agrees with the spoilt label, and solve for e.",
        {
            "A wrong prediction can agree with a wrong label: with probability share / (C - 1).": (
                "- share / (C - 1) ->"
            ),
            "There are C - 1 other classes.": "(C - 1) -> C",
            "Without the divisor it is right for e = 0 alone.": (
                "(seen - share) / (1 - share - share / (C - 1)) -> seen - share"
            ),
            "At e = 0 the model seems to miss the share of wrong labels: subtract it.": "(seen - share) -> seen",
            "The chance agreement lowers the number of misses: its sign in the divisor is minus.": (
                "- share / (C - 1) -> + share / (C - 1)"
            ),
        },
        on((0.25, 0.2, 10), (0.4, 0.3, 4), (0.1, 0.0, 3), (0.5, 0.35, 2)),
    ),
]
