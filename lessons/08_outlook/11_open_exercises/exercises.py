"""Exercises of the lesson on open problems and their scores."""

import numpy as np

from lessons_lib.exercises import Exercise, on

A = np.array([[2.0, 9.0, 1.0, 0.3], [0.5, 4.0, 7.0, 1.2], [3.0, 0.2, 5.0, 6.0]])
B = np.array([[8.0, 1.0, 3.0, 0.9], [2.5, 0.7, 1.0, 2.0], [0.4, 0.9, 4.0, 1.5]])
R = np.array([4.0, 0.5, 3.0, 0.2, 8.0, 1.5, 2.5])

EXERCISES = [
    Exercise(
        "ahead",
        "the mean of the logarithms of the ratios, and then the exponential.",
        {
            "That is the mean of the ratios. It depends on which rule stands below the bar.": (
                "np.exp(np.log(a / b).mean(1)) -> (a / b).mean(1)"
            ),
            "The ratio is upside down: a's losses above b's.": "a / b -> b / a",
            "That is the logarithm of the factor: undo it.": "np.exp(np.log(a / b).mean(1)) -> np.log(a / b).mean(1)",
            "The mean runs over the problems, the columns.": ".mean(1) -> .mean(0)",
            "That is the product. The geometric mean is its K-th root.": ".mean(1) -> .sum(1)",
            "That is a ratio of sums: the problem with the largest losses decides it.": (
                "np.exp(np.log(a / b).mean(1)) -> a.sum(1) / b.sum(1)"
            ),
            "One number per run, not one for all.": ".mean(1) -> .mean()",
        },
        on((A, B), (B[:2], A[:2]), (A[:, :3], B[:, :3])),
    ),
    Exercise(
        "families",
        "a mean of the logarithms inside each family, then a mean over the families.",
        {
            "Every problem counts the same here. Every family must.": "np.mean(logs) -> np.log(ratio).mean()",
            "That is the arithmetic mean of the families' geometric means.": (
                "np.exp(np.mean(logs)) -> np.mean(np.exp(logs))"
            ),
            "Inside a family the mean must be geometric too.": (
                "np.log(ratio[family == f]).mean() -> np.log(ratio[family == f].mean())"
            ),
            "That is the logarithm of the answer: undo it.": "np.exp(np.mean(logs)) -> np.mean(logs)",
            "A family with more problems counts more: take its mean and not its sum.": (
                "np.log(ratio[family == f]).mean() -> np.log(ratio[family == f]).sum()"
            ),
            "That is the product over the families. Take the root, a mean of the logarithms.": (
                "np.mean(logs) -> np.sum(logs)"
            ),
            "All logarithms have the wrong sign.": "np.mean(logs) -> -np.mean(logs)",
        },
        on(
            (R, np.array([0, 0, 0, 0, 1, 2, 2])),
            (R[:5], np.array([3, 1, 3, 3, 1])),
            (R[2:], np.array([5, 5, 5, 5, 9])),
        ),
    ),
    Exercise(
        "needed",
        "mean > 2 s / sqrt(n). Solve for n.",
        {
            "Two standard errors, squared, give a factor of 4.": "4 * -> 2 *",
            "Divide by one less than the number of differences in s.": "(len(d) - 1) -> len(d)",
            "n grows with the square of s over the mean.": (
                "4 * variance // d.mean() ** 2 -> 2 * variance**0.5 // abs(d.mean())"
            ),
            "With this n the mean is still within two standard errors: one more is needed.": " + 1 ->",
            "A whole number is wanted.": "// d.mean() ** 2 + 1 -> / d.mean() ** 2",
            "The ratio is upside down: a larger mean needs fewer data sets.": (
                "4 * variance // d.mean() ** 2 -> d.mean() ** 2 // (4 * variance)"
            ),
            "One standard error is not enough.": "4 * variance -> variance",
        },
        on(
            (np.array([0.35, -0.1, 0.5, 0.2, -0.4]),),
            (np.array([-0.9, 0.4, -0.3, -0.6]),),
            (np.array([1.0, 2.0, 3.5]),),
            (np.array([0.05, -0.3, 0.5, 0.1, 0.2, -0.2]),),
        ),
    ),
]
