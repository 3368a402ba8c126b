"""Exercises of the lesson on a learned optimizer."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
UNITS = RNG.normal(size=(8, 5)) / 2
NOISE = RNG.normal(size=(6, 3))
W = np.array([0.7, -1.2, 0.4])


def wavy(w):  # a loss with slopes, bends and a jump
    return float(np.sin(w[0]) + w[0] * w[1] ** 3 + 2 * w[2] + 3 * (w[1] > -1))


TRIED = np.array([[0.9, 0.4, 0.3, 0.5, 2.0], [0.8, 0.6, 0.2, 0.1, 0.7]])
JUDGED = np.array([[0.8, 0.3, 0.4, 0.6, 1.0], [0.9, 0.7, 0.1, 0.2, 0.5]])

EXERCISES = [
    Exercise(
        "move",
        "first the eight units, then two sums over them.",
        {
            "A unit that would be negative is 0.": "np.maximum(units[:, :3] @ f, 0) -> units[:, :3] @ f",
            "The size is the exponential of its sum.": "np.exp(h @ units[:, 4]) -> (h @ units[:, 4])",
            "Direction and size have changed places.": "units[:, 3] <-> units[:, 4]",
            "The parameter moves against the direction: mind the sign.": "-lr * -> lr *",
            "The learning rate is missing.": "-lr * -> -1 *",
            "The size is missing: multiply by exp(s).": "* np.exp(h @ units[:, 4]) ->",
        },
        on(
            (np.array([1.0, 0.5, 0.2]), UNITS, 0.1),
            (np.array([-0.7, 0.4, 1.1]), UNITS, 0.02),
            (np.array([0.3, -1.0, -0.6]), 0.2 + UNITS[::-1] * 1.3, 0.5),
        ),
    ),
    Exercise(
        "estimate",
        "one row of the noise is one pair of values of f.",
        {
            "The pair is 2 sigma apart.": "/ (2 * sigma) -> / sigma",
            "Divide by 2 sigma: it is a slope.": "/ (2 * sigma) ->",
            "The sign is wrong: the value ahead minus the value behind.": (
                "f(w + sigma * e) - f(w - sigma * e) -> f(w - sigma * e) - f(w + sigma * e)"
            ),
            "The mirror image is missing: the second value is taken at w - sigma e.": "f(w - sigma * e) -> f(w)",
            "Multiply each slope by its direction e.": "* e for e -> for e",
            "The mean over the rows, not their sum.": "np.mean -> np.sum",
            "One number for each weight: the mean runs over the rows alone.": ", axis=0 ->",
            "The noise is scaled by sigma before it is added.": "w + sigma * e -> w + e",
        },
        on(
            (wavy, W, 0.3, NOISE),
            (wavy, -W, 0.05, NOISE[:1]),
            (lambda w: float((w**3).sum()), W[:2], 0.7, NOISE[:4, :2]),
        ),
    ),
    Exercise(
        "report",
        "the tuning tasks choose, the judging tasks speak.",
        {
            "That is the best rate on the judging tasks. It must be chosen on the others.": (
                "np.argmin(tried, -> np.argmin(judged,"
            ),
            "That is what the tuning tasks say of the rate that they chose. It flatters.": (
                "judged[np.arange(len(tried)), best] -> tried[np.arange(len(tried)), best]"
            ),
            "Each rule has its own best rate: look for the smallest in each row.": (
                "np.argmin(tried, axis=1) -> np.argmin(tried.mean(0))"
            ),
            "Less left is better: look for the smallest.": "np.argmin -> np.argmax",
            "That is the number of the rate. Wanted is what it leaves.": "judged[np.arange(len(tried)), best] -> best",
        },
        on((TRIED, JUDGED), (TRIED[::-1].copy(), JUDGED), (JUDGED[:, ::-1].copy(), TRIED), (TRIED[:1], JUDGED[1:])),
    ),
]
