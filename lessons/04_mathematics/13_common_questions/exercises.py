"""Exercises of the lesson on common questions."""

import numpy as np

from lessons_lib.exercises import Exercise, on

rng = np.random.default_rng(13)
MANY = rng.uniform(0.02, 0.9, 100_000)
LOSS = np.array([0.9, 0.7, 0.8, 0.6, 0.6, 0.5, 0.55, 0.4])
ACCURACY = np.array([0.5, 0.6, 0.7, 0.65, 0.6, 0.7, 0.6, 0.5])

EXERCISES = [
    Exercise(
        "factors",
        "take the logarithm of both sides.",
        {
            "That is the last number at which the product is not yet 0.": ")) + 1 -> ))",
            "At p = 1/2, 1075 factors make exactly 2 to the -1075, which is not below it.": (
                "int(np.floor(1075 * np.log(2) / -np.log(p))) + 1 -> int(np.ceil(1075 * np.log(2) / -np.log(p)))"
            ),
            "Both logarithms need the same base.": "1075 * np.log(2) -> 1075",
            "The logarithm of p is negative; a number of factors is not.": "-np.log(p) -> np.log(p)",
            "A number of factors is whole.": "int(np.floor(1075 * np.log(2) / -np.log(p))) + 1 -> "
            "1075 * np.log(2) / -np.log(p)",
            "float64 goes further down than float32.": "1075 -> 150",
            "Small numbers keep going below 2 to the -1022, with fewer digits.": "1075 -> 1023",
        },
        on((0.1,), (0.9,), (0.3,), (0.99,), (1e-5,), (0.5,)),
    ),
    Exercise(
        "typical",
        "its logarithm is a mean.",
        {
            "That is the mean of the probabilities: one example with probability 0 would not count much.": (
                "np.exp(np.mean(np.log(p))) -> np.mean(p)"
            ),
            "The product underflows: for many examples it is 0.": (
                "np.exp(np.mean(np.log(p))) -> np.prod(p) ** (1 / len(p))"
            ),
            "That is the mean loss; a probability is asked for.": "np.exp(np.mean(np.log(p))) -> -np.mean(np.log(p))",
            "That is the perplexity, one over the typical probability.": "np.mean -> -np.mean",
            "The sum is the logarithm of the likelihood of all; you need that of one.": "np.mean -> np.sum",
        },
        on((np.array([0.5, 0.5, 0.5]),), (np.array([0.9, 0.1]),), (MANY,), (MANY[:7],)),
    ),
    Exercise(
        "disagreements",
        "when do the two numbers tell different stories?",
        {
            "Those are the pairs that agree.": "> 0 -> < 0",
            "A number that stays the same says nothing.": "> 0 -> >= 0",
            "That is the share; the number is asked for.": "int(np.sum(np.diff(loss) * np.diff(accuracy) > 0)) -> "
            "np.mean(np.diff(loss) * np.diff(accuracy) > 0)",
            "Only tests at which both got smaller? Both may grow as well.": lambda loss, accuracy: int(
                np.sum((np.diff(loss) < 0) & (np.diff(accuracy) < 0))
            ),
            "The accuracy's changes are missing.": "* np.diff(accuracy) ->",
        },
        on(
            (LOSS, ACCURACY),
            (LOSS[::-1], ACCURACY),
            (-ACCURACY, ACCURACY),
            (ACCURACY[:5], LOSS[:5]),
            (LOSS, LOSS),  # once both stay the same
            (LOSS, 1 - LOSS),
        ),
    ),
]
