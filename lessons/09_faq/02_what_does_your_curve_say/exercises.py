"""Exercises of the lesson on training curves."""

import numpy as np

from lessons_lib.exercises import Exercise, on

G = np.random.default_rng(0).normal(size=(9, 5)) * np.geomspace(0.3, 3, 9)[:, None] + 0.4

EXERCISES = [
    Exercise(
        "edge",
        "r is minus the rate times the curvature, over 2.",
        {
            "The curvature lacks the 2 of the derivation.": "-2 * r / lr -> -r / lr",
            "r is negative, and a curvature is not: mind the minus.": "-2 * r / lr -> 2 * r / lr",
            "The edge is 2 / h; you gave 1 / h.": "-lr / r -> -lr / (2 * r)",
            "That edge is upside down.": "-lr / r -> -r / lr",
            "r is negative, and a rate is not: mind the minus of the edge.": "-lr / r -> lr / r",
            "Divide by the rate: h is a property of the loss.": "-2 * r / lr -> -2 * r * lr",
        },
        on((-0.05, 0.1), (-0.4, 0.3), (-0.9, 2.5)),
        returns=2,
    ),
    Exercise(
        "turning",
        "a cosine for each pair of rows, then the mean.",
        {
            "Those are products. Divide by both lengths.": "/ squares**0.5 ->",
            "Divide by the lengths, not by their squares: a root is missing.": "squares**0.5 -> squares",
            "Both lengths count, that of the gradient before as well.": (
                "(before**2).sum(1) * (after**2).sum(1) -> (after**2).sum(1) ** 2"
            ),
            "Compare each gradient with the next one, not with itself.": "g[:-1], g[1:] -> g[1:], g[1:]",
            "Two in a row: you left one out between them.": "g[:-1], g[1:] -> g[:-2], g[2:]",
            "A mean over the pairs, not a sum.": ".mean() -> .sum()",
            "Every pair has its own cosine, with its own lengths; the mean comes last.": lambda g: (
                (g[:-1] * g[1:]).sum() / ((g[:-1] ** 2).sum() * (g[1:] ** 2).sum()) ** 0.5
            ),
        },
        on((G,), (G[:3],), (-2 * G[4:, :2],)),
    ),
    Exercise(
        "patient_causes",
        "are units dead? Do two gradients in a row point against each other?",
        {
            "A: a small rate leaves the units alive. Look at hidden.": "[3, 9, 5] -> [2, 9, 5]",
            "A: after one wrong batch a run recovers. This one does not.": "[3, 9, 5] -> [8, 9, 5]",
            "A: the first loss is log 10, so the head started well.": "[3, 9, 5] -> [11, 9, 5]",
            "B: the rate is the healthy one. Can it learn 20 examples by heart?": "[3, 9, 5] -> [3, 2, 5]",
            "B: hardly a unit is dead. Look at hidden.": "[3, 9, 5] -> [3, 3, 5]",
            "B: its weights start as the healthy ones do. Can it learn 20 examples by heart?": "[3, 9, 5] -> [3, 4, 5]",
            "C: each batch holds all 600 examples, so there is no noise. Look at the cosine.": "[3, 9, 5] -> [3, 9, 6]",
        },
        on(()),
    ),
]
