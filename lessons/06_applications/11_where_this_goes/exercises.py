"""Exercises of the lesson on where this goes."""

import numpy as np

from lessons_lib.exercises import Exercise, on

SIZES = np.array([5.0e3, 1.2e4, 3.0e4, 9.0e4])
FIRST = 2.5 + 30 * SIZES**-0.35 + np.array([0.01, -0.015, 0.01, -0.005])
SECOND = 1.1 + 9 * SIZES**-0.2 + np.array([-0.02, 0.03, 0.01, -0.01])
LEVELS = np.linspace(0, 2.8, 57)

EXERCISES = [
    Exercise(
        "left",
        "which terms fall when the model and the text grow?",
        {
            "That is the share that stays.": "return rest / (1.69 + rest) -> return 1.69 / (1.69 + rest)",
            "That is in nats. Wanted is the share of the whole loss.": "return rest / (1.69 + rest) -> return rest",
            "The share is of the whole loss: divide by all three terms.": "rest / (1.69 + rest) -> rest / 1.69",
            "The sizes are swapped: 406.4 and 0.34 belong to N, 410.7 and 0.28 to D.": (
                "406.4 / N**0.34 + 410.7 / D**0.28 -> 406.4 / D**0.34 + 410.7 / N**0.28"
            ),
            "A larger model has a smaller loss: divide by the power.": "406.4 / N**0.34 -> 406.4 * N**0.34",
            "More text lowers the loss as well: add the term with D.": (
                "406.4 / N**0.34 + 410.7 / D**0.28 -> 406.4 / N**0.34"
            ),
            "A larger model lowers the loss as well: add the term with N.": (
                "406.4 / N**0.34 + 410.7 / D**0.28 -> 410.7 / D**0.28"
            ),
        },
        on((7e10, 1.4e12), (1e8, 1e9), (1e6, 1e12), (1e9, 1e10)),
    ),
    Exercise(
        "level",
        "for one candidate: a line, the losses that it predicts, the sum of their squared errors.",
        {
            "polyfit returns the slope first.": "slope, height = np -> height, slope = np",
            "The line is straight over log N, not over N.": "np.log(N) -> N / 1e4",
            "Subtract the candidate before the logarithm, and add it to the prediction again.": (
                "np.log(L - E) -> np.log(L)"
            ),
            "The line predicts a logarithm: undo it.": "np.exp(height + slope * x) -> (height + slope * x)",
            "Errors of both signs cancel: square them.": "(predicted - L) ** 2 -> (predicted - L)",
            "That is the candidate with the largest error.": "np.argmin -> np.argmax",
            "That is its place in the list. Wanted is the candidate.": (
                "levels[np.argmin(errors)] -> np.argmin(errors)"
            ),
            "The mean of the logarithm errors is another judge: compare losses.": (
                "np.sum((predicted - L) ** 2) -> np.sum((height + slope * x - np.log(L - E)) ** 2)"
            ),
        },
        on(
            (SIZES, FIRST, LEVELS),
            (SIZES, SECOND, LEVELS[:40]),
            (SIZES[:3], SECOND[:3], LEVELS[:30]),
            (SIZES[::-1], FIRST[::-1], LEVELS[::-1]),
        ),
    ),
    Exercise(
        "times",
        "only the part above the level falls.",
        {
            "At the level and below it no size helps: return np.inf there.": "np.inf -> 0.0",
            "Subtract the level from both losses first.": "(L - E) / (target - E) -> L / target",
            "That factor is below 1: you have it upside down.": ("(L - E) / (target - E) -> (target - E) / (L - E)"),
            "The exponent belongs to the size. To solve for the size, take the power 1 / alpha.": (
                "(1 / alpha) -> alpha"
            ),
            "That is how much the part above the level must fall, not how much larger the model is.": (
                "** (1 / alpha) ->"
            ),
        },
        on(
            (3.2, 3.0, 0.0, 0.3),
            (3.2, 3.0, 2.8, 0.3),
            (3.2, 3.0, 3.0, 0.3),
            (3.2, 2.5, 2.7, 0.5),
            (4.0, 2.0, 1.5, 0.25),
        ),
    ),
]
