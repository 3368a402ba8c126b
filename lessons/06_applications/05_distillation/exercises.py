"""Exercises of the lesson on distillation."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
Z, LOGITS = 3 * RNG.normal(size=(2, 5, 4))
LARGE = np.array([[1000.0, 990.0, -1000.0, 998.0], [0.0, 3.0, 1.0, 2.0]])
ONES, SOME, FEW = np.ones(5), np.array([1.0, 0.0, 1.0, 1.0, 0.0]), np.array([1.0, 1.0])
AMOUNTS, LOSSES = np.array([10.0, 40.0, 80.0, 640.0]), np.array([5.0, 4.5, 3.8, 3.1])

EXERCISES = [
    Exercise(
        "left_over",
        "at which places does the word stay in the text, and how much does the teacher say there?",
        {
            "That is the share which is cut with the places.": "p * (1 - p) -> p * p",
            "That is the share of places that stay. Each counts with what the teacher says there.": (
                "(p * (1 - p)).sum() / p.sum() -> (1 - p).mean()"
            ),
            "A share of the teacher's sum: divide by it.": "/ p.sum() ->",
            "A share of the teacher's sum, not a mean over the places.": "/ p.sum() -> / len(p)",
            "The variance of a word is p (1 - p). No root is needed.": "p * (1 - p) -> (p * (1 - p)) ** 0.5",
        },
        on((np.array([0.1, 0.7, 0.4]),), (np.array([0.5, 0.05, 0.9, 0.2, 0.3]),), (np.array([0.02, 0.01]),)),
    ),
    Exercise(
        "distil",
        "log p and log q of each row at the temperature T; then T^2 KL(p || q), and T (q - p).",
        {
            "The sign of the gradient is wrong: student minus teacher.": "(q - p) -> (p - q)",
            "The loss lacks the factor T^2.": "T**2 * (p -> (p",
            "The gradient lacks the factor T: T^2 from the front, 1/T from the logits.": "T * (q - p) -> (q - p)",
            "The gradient has T^2. The chain rule through z / T takes one T away.": "T * (q - p) -> T**2 * (q - p)",
            "The student has the temperature T as well.": (
                "log_q = z / T - np.logaddexp.reduce(z / T, -> log_q = z - np.logaddexp.reduce(z,"
            ),
            "That is KL(q || p). The teacher's probability stands in front.": (
                "(p * (log_p - log_q)) -> (q * (log_q - log_p))"
            ),
            "That is the cross-entropy. The teacher's own entropy is missing.": "(log_p - log_q) -> (-log_q)",
            "The mean is over the places that count: divide by the sum of the weights.": (
                "/ weight.sum() -> / len(weight)"
            ),
            "A mean, not a sum: divide by the number of places that count.": "/ weight.sum() ->",
            "The gradient is that of the mean: every place has its share in it, and a cut place has none.": (
                "* share[:, None] ->"
            ),
        },
        on((Z, LOGITS, 1.0, ONES), (Z, LOGITS, 2.5, SOME), (LOGITS, Z, 0.5, SOME), (LARGE, LARGE[::-1], 2.0, FEW)),
        returns=2,
    ),
    Exercise(
        "text_needed",
        "read the broken line backwards: from the loss to the logarithm of the amount.",
        {
            "The line is straight over the logarithm of the amount.": (
                "np.exp(np.interp(-level, -losses, np.log(amounts))) -> np.interp(-level, -losses, amounts)"
            ),
            "The amount is wanted, not its logarithm.": (
                "np.exp(np.interp(-level, -losses, np.log(amounts))) -> np.interp(-level, -losses, np.log(amounts))"
            ),
            "np.interp needs numbers that grow, and the losses fall.": (
                "np.interp(-level, -losses, np.log(amounts)) -> np.interp(level, losses, np.log(amounts))"
            ),
            "A loss that is never reached needs infinitely much text.": "return np.inf -> return amounts[-1]",
            "The last loss counts as reached.": "level < -> level <=",
            "Compare with the last loss, the lowest one.": "level < losses[-1] -> level < losses[0]",
        },
        on((AMOUNTS, LOSSES, 4.2), (AMOUNTS, LOSSES, 5.5), (AMOUNTS, LOSSES, 3.0), (AMOUNTS, LOSSES, 3.1),
           (AMOUNTS[:3], LOSSES[:3], 4.9), (AMOUNTS[1:], LOSSES[1:], 3.3)),
    ),
]
