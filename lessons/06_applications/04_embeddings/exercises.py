"""Exercises of the lesson on embeddings and retrieval."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(604)
U, V = RNG.normal(size=(2, 6, 4)) * np.array([0.5, 1.0, 2.0, 3.0, 0.7, 1.5])[:, None]

EXERCISES = [
    Exercise(
        "lowest",
        "which cosine do you wish for the right answer, and which for the wrong ones?",
        {
            "Divide the cosines by the temperature.": "-2 / tau -> -2",
            "The cosines are divided by the temperature, not multiplied.": "/ tau -> * tau",
            "One of the M answers is the right one.": "M - 1 -> M",
            "A wrong answer can do better than a cosine of 0: it can point the other way.": "-2 / tau -> -1 / tau",
            "The right answer stands in the sum as well.": "np.log1p -> np.log",
            "That is the largest loss: the right answer has the cosine -1 and all others 1.": "-2 / tau -> 2 / tau",
        },
        on((128, 1.0), (128, 0.2), (2, 1.0), (10, 0.5), (1000, 0.3), (1, 0.4)),
    ),
    Exercise(
        "two_way",
        "make all vectors 1 long, divide the cosines by tau, then look along the rows and along the columns.",
        {
            "The left vectors must have the length 1.": "u / np.linalg.norm(u, axis=1, keepdims=True) -> u",
            "The right vectors must have the length 1.": "v / np.linalg.norm(v, axis=1, keepdims=True) -> v",
            "Divide the cosines by the temperature.": "u @ v.T / tau -> u @ v.T",
            "The cosines are divided by the temperature, not multiplied.": "/ tau -> * tau",
            "That is one direction. The right halves look for their left halves as well.": (
                "(rows.mean() + columns.mean()) / 2 -> rows.mean()"
            ),
            "Take the mean of the two directions, not their sum.": (
                "(rows.mean() + columns.mean()) / 2 -> rows.mean() + columns.mean()"
            ),
            "Take the mean over the pairs, not the sum.": (
                "(rows.mean() + columns.mean()) / 2 -> (rows.sum() + columns.sum()) / 2"
            ),
            "The sign is wrong: a loss is minus the log of a probability.": (
                "(rows.mean() + columns.mean()) / 2 -> -(rows.mean() + columns.mean()) / 2"
            ),
        },
        on((U, V, 0.5), (U, V, 0.1), (U[:3], V[:3], 2.0), (U[:1], V[:1], 0.3)),
    ),
    Exercise(
        "with_copies",
        "try it: repeat the rows and columns of a small matrix of similarities, and compare the two losses.",
        {
            "The right answer and its copies share the probability: the loss must rise.": (
                lambda loss, copies: loss + 0.0 * copies
            ),
            "Each pair has its probability divided by their number. What does that do to a logarithm?": (
                "np.log(copies) -> copies"
            ),
            "Among the answers, the right one counts too: together they are `copies`.": "copies) -> copies - 1)",
            "A probability is divided, so its logarithm gets a summand, and no factor.": (
                "loss + np.log(copies) -> loss * copies"
            ),
            "The loss is the mean over the rows; more rows alone change nothing.": (
                "loss + np.log(copies) -> loss / copies"
            ),
            "Copies make the task harder: the loss rises.": "loss + np.log(copies) -> loss - np.log(copies)",
        },
        on((1.5, 2), (0.25, 3), (3.0, 10), (0.5, 8)),
    ),
]
