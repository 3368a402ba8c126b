"""Exercises of the lesson on the longest step of Adam."""

import numpy as np

from lessons_lib.exercises import Exercise, on

EXERCISES = [
    Exercise(
        "longest_at",
        "the Adam lesson derives the length of step t without corrections.",
        {
            "That is the answer for beta2 = 0.999.": "0.95 -> 0.999",
            "That is the index in a list that starts at 0; t starts at 1.": 19,
            "That is the first step; with beta2 = 0.95 it is the shortest.": "max -> min",
            "That is the size of the longest step. Wanted is its number t.": (1 - 0.9**20) / np.sqrt(1 - 0.95**20),
        },
    ),
    Exercise(
        "largest_step",
        "how many terms has the sum over k after t steps?",
        {
            "That is without the corrections: at t = 1 it is not 1.": "* np.sqrt(1 - beta2**t) / (1 - beta1**t) ->",
            "Upside down: the correction of m makes the step longer, that of v shorter.": (
                "* np.sqrt(1 - beta2**t) / (1 - beta1**t) -> / np.sqrt(1 - beta2**t) * (1 - beta1**t)"
            ),
            "That is a lone spike after silence, corrected. Gradients before it can push too.": "* np.sqrt(q_sum) ->",
            "That is the lone spike; the lesson refuted it as a bound.": (
                "return uncorrected * np.sqrt(1 - beta2**t) / (1 - beta1**t) ->"
                " return max(1, (1 - beta1) / np.sqrt(1 - beta2))"
            ),
            "That is the limit for large t. Keep the sum and the corrections finite.": (
                "sum((beta1**2 / beta2) ** k for k in range(t)) -> 1 / (1 - beta1**2 / beta2)"
                "; * np.sqrt(1 - beta2**t) / (1 - beta1**t) ->"
            ),
            "The terms of the sum are powers of beta1**2 / beta2, not of beta1 / beta2.": "beta1**2 / -> beta1 /",
            "The correction of v stands under a root.": "np.sqrt(1 - beta2**t) -> (1 - beta2**t)",
            "The corrections are right, but the sum has only t terms.": (
                "sum((beta1**2 / beta2) ** k for k in range(t)) -> 1 / (1 - beta1**2 / beta2)"
            ),
            "The sum stands under a root.": "np.sqrt(q_sum) -> q_sum",
        },
        on(*((t, *betas) for betas in ((0.9, 0.999), (0.5, 0.9), (0.8, 0.7)) for t in (1, 2, 5, 40))),
    ),
    Exercise(
        "growth_factor",
        "which gradients make both sides of the inequality equal?",
        {
            "That gradient shrinks. Which way do the steps count: k is how long ago?": "beta2 / beta1 -> beta1 / beta2",
            "That is q, the factor between the terms of the sum.": "beta2 / beta1 -> beta1**2 / beta2",
            "That is its square.": "beta2 / beta1 -> (beta2 / beta1) ** 2",
        },
        on((0.9, 0.999), (0.5, 0.9), (0.8, 0.7)),
    ),
]
